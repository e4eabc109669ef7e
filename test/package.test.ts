// The published package: packed from a copy, put into an empty folder with what its manifest asks for, and used.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COPIED = [
  ...["bin", "dashboard", "kit", "sandbox", "scripts", "src"],
  ...["CHANGELOG.md", "LICENSE", "README.md", "package.json", "tsconfig.build.json", "tsconfig.json"],
];

interface Manifest {
  dependencies: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), "billhook-package-"));
const [copy, user] = [join(folder, "copy"), join(folder, "user")];
const installed = join(user, "node_modules", "billhook");
const manifestIn = (place: string): Manifest =>
  JSON.parse(readFileSync(join(place, "package.json"), "utf8")) as Manifest;

/** Without what a .env or this run's own variables would say. */
const environment: Record<string, string> = {
  HOME: folder,
  PATH: [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
  NODE_ENV: "test",
};

function run(command: string, words: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, env: environment, encoding: "utf8" });
  expect(status, `${command} ${words.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

const dashboard = join(installed, "dist", "dashboard");
const NAMED = /(?:src|href)="\/([^"]+\.(?:js|css|svg))"/g;
const namesIn = (page: string): string[] => [...page.matchAll(NAMED)].map(([, name = ""]) => name);

const filesIn = (place: string): string[] =>
  (readdirSync(place, { recursive: true }) as string[]).map((name) => name.replaceAll("\\", "/")).sort();

/** At least its program and its styles. */
function filesOfPage(): string[] {
  const names = namesIn(readFileSync(join(dashboard, "index.html"), "utf8"));
  expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/\.js$/), expect.stringMatching(/\.css$/)]));
  return names;
}

/** What the page at this address names, and what it is there. */
async function served(address: string): Promise<Record<string, string>> {
  const page = await fetch(address, { headers: { accept: "text/html" } });
  expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
  const read = async (name: string) => [name, await (await fetch(`${address}${name}`)).text()] as const;
  return Object.fromEntries(await Promise.all(namesIn(await page.text()).map(read)));
}

beforeAll(() => {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  run("npm", ["pack", "--silent", "--pack-destination", folder], copy);
  mkdirSync(installed, { recursive: true });
  const packed = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  run("tar", ["xzf", join(folder, packed), "-C", installed, "--strip-components=1"], folder);
  writeFileSync(join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  // Only what the manifest asks for is there, in the versions of this clone.
  for (const name of Object.keys(manifestIn(installed).dependencies)) {
    const place = join(user, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), place);
  }
  const command = join(installed, "bin", "billhook.mjs");
  mkdirSync(join(user, "node_modules", ".bin"));
  chmodSync(command, 0o755);
  symlinkSync(command, join(user, "node_modules", ".bin", "billhook"));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the published package", () => {
  it("asks for its dependencies alone: no pinned Node, no Stripe CLI, no tools, no scripts", () => {
    const { dependencies } = manifestIn(ROOT);
    const left = { optionalDependencies: undefined, devDependencies: undefined, scripts: undefined };
    expect({ ...left, ...manifestIn(installed) }).toMatchObject({ ...left, dependencies });
    expect(manifestIn(copy), "the clone's own manifest is as it was").toEqual(manifestIn(ROOT));
    expect(readdirSync(copy)).not.toContain("package.json.kept");
  });

  it("runs the sandbox in another program, with types", () => {
    writeFileSync(join(user, "use.ts"), PROGRAM);
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--module", "nodenext"];
    run(process.execPath, [tsc, ...options, "use.ts"], user);
    expect(JSON.parse(run(process.execPath, ["use.ts"], user))).toEqual(["product", true]);
  }, 30_000);

  it("has the typed client and the React kit, each a module of its own that needs no server", () => {
    writeFileSync(join(user, "client.ts"), CLIENT_PROGRAM);
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--module", "nodenext"];
    run(process.execPath, [tsc, ...options, "client.ts"], user);
    expect(run(process.execPath, ["client.ts"], user).trim()).toBe("unreachable");
    for (const name of ["react", "react-dom"])
      symlinkSync(join(ROOT, "node_modules", name), join(user, "node_modules", name));
    const program = 'console.log(Object.keys(await import("billhook/react")).sort().join(" "))';
    const parts = run(process.execPath, ["--input-type=module", "-e", program], user).trim();
    expect(parts).toBe("BillhookProvider CreditPacks PaymentForm money useBillhook usePaymentStatus");
    for (const name of ["react", "react-dom"]) rmSync(join(user, "node_modules", name));
  }, 30_000);

  it("verifies webhooks by a module of its own, with types", () => {
    writeFileSync(join(user, "verify.ts"), VERIFY_PROGRAM);
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--module", "nodenext"];
    run(
      process.execPath,
      [tsc, ...options, "--types", "node", "--typeRoots", join(ROOT, "node_modules", "@types"), "verify.ts"],
      user,
    );
    expect(run(process.execPath, ["verify.ts"], user).trim()).toBe("invoice.paid in_1 signature_mismatch");
  }, 30_000);

  it("writes its mails, although React and React Email are not there", () => {
    const folderOf = pathToFileURL(join(installed, "dist", "src", "mail")).href;
    const program = `
      const { renderMail } = await import("${folderOf}/templates.js");
      const { MAIL_EXAMPLES } = await import("${folderOf}/mail-examples.js");
      for (const [name, fields] of Object.entries(MAIL_EXAMPLES)) console.log(renderMail(name, fields).subject);`;
    const subjects = run(process.execPath, ["--input-type=module", "-e", program], user).trim().split("\n");
    expect(subjects).toHaveLength(10);
    expect(subjects).toContain("You are invited to Acme");
    const { dependencies } = manifestIn(installed);
    expect(Object.keys(dependencies).filter((name) => /react|mailgun/.test(name))).toEqual([]);
    expect(existsSync(join(installed, "dist", "src", "mail", "mail-page.js"))).toBe(false);
  });

  it("holds the built dashboard: every file that the build made, and those that its page names among them", () => {
    const held = filesIn(dashboard);
    expect(held).toEqual(filesIn(join(copy, "dist", "dashboard")));
    expect(held).toEqual(expect.arrayContaining(filesOfPage()));
    expect(held.filter((name) => name.endsWith(".js.br")).length).toBeGreaterThan(20);
  });

  it("has the billhook command, which serves the dashboard at `/`", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(run("npx", ["--no-install", "billhook", "--version"], user).trim()).toBe(version);
    const env = {
      ...environment,
      NODE_ENV: "development",
      DATA_DIR: join(folder, "data"),
      PORT: "0",
      SANDBOX_PORT: "0",
    };
    const server = spawn(process.execPath, [join(installed, "bin", "billhook.mjs"), "serve"], { cwd: user, env });
    let said = "";
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (piece: Buffer) => (said += String(piece)));
    const ended = once(server, "exit");
    const isReady = (): boolean => said.includes(`Billhook ${version} is ready.`);
    await expect.poll(() => isReady() || server.exitCode !== null, { timeout: 40_000 }).toBe(true);
    const [, port = ""] = /"port":(\d+).*"process\.started"/.exec(said) ?? [];
    const shown = await served(`http://127.0.0.1:${port}/`).finally(() => server.kill("SIGTERM"));
    expect([isReady(), await ended], said).toEqual([true, [0, null]]);
    const wrong = filesOfPage().filter((name) => shown[name] !== readFileSync(join(dashboard, name), "utf8"));
    expect(wrong).toEqual([]);
  }, 60_000);
});

const VERIFY_PROGRAM = `
import { createHmac } from "node:crypto";
import { verifyWebhook, WebhookError, type WebhookErrorCode } from "billhook/verify";

const secret = "whsec_" + Buffer.alloc(32, 1).toString("base64");
const body = JSON.stringify({ object: "event", type: "invoice.paid", data: { object: { id: "in_1" } } });
const time = Math.floor(Date.now() / 1000);
const sign = (text: string) => "t=" + time + ",v1=" + createHmac("sha256", secret).update(time + "." + text).digest("hex");
const event = await verifyWebhook<{ id: string }>({ body, secret, headers: { "x-webhook-signature": sign(body) } });
// Not any: the types are there.
const typed: 0 extends 1 & typeof event.type ? never : string = event.type;
try {
  await verifyWebhook({ body, secret, headers: new Headers({ "x-webhook-signature": sign("other") }) });
} catch (error) {
  const code: WebhookErrorCode | undefined = error instanceof WebhookError ? error.code : undefined;
  console.log(typed, event.data.object.id, code);
}
`;

const CLIENT_PROGRAM = `
import { billhook, BillhookError } from "billhook/client";

const client = billhook({ baseUrl: "http://127.0.0.1:9", token: "sk_test_of_the_package", retries: 0 });
const spend = (amount: number) =>
  client.post("/api/v1/accounts/{id}/credits/spend/", { params: { path: { id: "acc_1" } }, body: { amount, reason: "x" } });
try {
  const { amount } = await spend(1);
  // Not any: the types are there.
  const typed: 0 extends 1 & typeof amount ? never : number = amount;
  console.log(typed);
} catch (error) {
  console.log(error instanceof BillhookError ? error.code : error);
}
`;

const PROGRAM = `
import { startSandbox, type Sandbox, type SandboxOptions } from "billhook/sandbox";

const options: SandboxOptions = { port: 0, seed: 1 };
const sandbox: Sandbox = await startSandbox(options);
// Not any: the types are there.
const typed: 0 extends 1 & Sandbox["port"] ? never : true = true;
sandbox.seed();
const headers = { authorization: "Bearer sk_test_of_the_package" };
const answer = await fetch(sandbox.url + "/v1/products", { headers });
const { data } = (await answer.json()) as { data: { object: string }[] };
await sandbox.close();
console.log(JSON.stringify([data[0]?.object, typed]));
`;

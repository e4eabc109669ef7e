// Secrets that are generated into DATA_DIR.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ensureOperatorToken, ensureSecretFile, ensureWebhookSecrets } from "./secret-files.ts";

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "billhook-secret-")), "data");
});
afterEach(() => {
  rmSync(join(folder, ".."), { recursive: true });
});

const mode = (path: string): number => statSync(path).mode & 0o777;

describe("secret files", () => {
  it("are made once, readable by their owner only, with nothing left beside them", async () => {
    const path = join(folder, "token");
    const first = await ensureSecretFile(path, () => "first");
    expect([first, await ensureSecretFile(path, () => "second")]).toEqual(["first", "first"]);
    expect([mode(path), mode(folder)]).toEqual([0o600, 0o700]);
    expect(readdirSync(folder)).toEqual(["token"]);
  });

  it("of many that come at once, in one process and in several, all read the same", async () => {
    const path = join(folder, "token");
    const module = JSON.stringify(join(import.meta.dirname, "secret-files.ts"));
    const script = `import { ensureSecretFile } from ${module};
      console.log(await ensureSecretFile(${JSON.stringify(path)}, () => String(process.pid)));`;
    const processes = [1, 2, 3].map(async () => {
      const running = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      running.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await once(running, "close");
      return output.trim();
    });
    const read = await Promise.all([
      ...processes,
      ...Array.from({ length: 20 }, (_, index) => ensureSecretFile(path, () => `own-${index}`)),
    ]);
    expect(new Set(read)).toEqual(new Set([readFileSync(path, "utf8")]));
    expect(readdirSync(folder)).toEqual(["token"]);
  });

  it("one that others may read is closed to them", async () => {
    const path = join(folder, "..", "token");
    writeFileSync(path, "text");
    chmodSync(path, 0o644);
    expect(await ensureSecretFile(path, () => "other")).toBe("text");
    expect(mode(path)).toBe(0o600);
  });

  it.each(["", " \n"])("an empty one (%j) is an error that says what to do, never a secret", async (text) => {
    const path = join(folder, "..", "token");
    writeFileSync(path, text);
    await expect(ensureSecretFile(path, () => "other")).rejects.toThrow(/is empty: remove it/);
  });

  it("nothing is left when it cannot be made", async () => {
    await expect(
      ensureSecretFile(join(folder, "token"), () => {
        throw new Error("no randomness");
      }),
    ).rejects.toThrow("no randomness");
    expect(existsSync(join(folder, "token"))).toBe(false);
  });
});

describe("generated secrets", () => {
  it("webhook secrets are two, Connect's first, and stay the same", async () => {
    const made = await ensureWebhookSecrets(folder);
    const again = await ensureWebhookSecrets(folder);
    expect(made.map(({ variable }) => variable)).toEqual(["STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"]);
    expect(again.map(({ secret }) => secret.reveal())).toEqual(made.map(({ secret }) => secret.reveal()));
    expect(new Set(made.map(({ secret }) => secret.reveal())).size).toBe(2);
    for (const { secret } of made) expect(secret.reveal()).toMatch(/^whsec_[\w-]{43}$/);
    expect(mode(join(folder, "webhook-secrets.json"))).toBe(0o600);
  });

  it.each([
    "{}",
    "[]",
    "null",
    "oops SENTINEL",
    '{"STRIPE_WEBHOOK_SECRET":""}',
    '{"STRIPE_WEBHOOK_SECRET":" "}',
    '{"A":7}',
  ])("a webhook secret file that holds %s is an error, and is not quoted", async (text) => {
    writeFileSync(join(folder, "..", "webhook-secrets.json"), text);
    const failure = await ensureWebhookSecrets(join(folder, "..")).catch((error: unknown) => error);
    expect(String(failure)).toMatch(/remove it/);
    expect(String(failure)).not.toContain("SENTINEL");
  });

  it("the operator's token stays the same, and a short one is an error", async () => {
    const token = await ensureOperatorToken(folder);
    expect(token.reveal()).toMatch(/^[\w-]{43}$/);
    expect((await ensureOperatorToken(folder)).reveal()).toBe(token.reveal());
    writeFileSync(join(folder, "operator-token"), "short\n");
    await expect(ensureOperatorToken(folder)).rejects.toThrow(/at least 16/);
  });
});

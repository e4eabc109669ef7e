// Style is a test: floors, owners, sizes, names and bans (DESIGN §5, STYLE), each shown to fail on a bad example.
import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import {
  bans,
  dashboardRooms,
  depth,
  floors,
  headers,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  mentions,
  names,
  rooms,
  silencers,
  sizes,
} from "./support/tidy-rules.ts";
import type { SourceFile } from "./support/tidy-source.ts";
import { tableOwners } from "./support/tidy-tables.ts";

const NOT_OURS = /^(node_modules|data|dist|coverage|\.git|bench\/(node_modules|results)|test\/fixtures)$/;
const READ = /\.(ts|tsx|js|mjs|json|sql|md|ya?ml|sh|example)$|^\.ci\/|^\.npmrc$/;

/** Every text file of the repository. Not asked from git, which an archive lacks and a CI's root may not use. */
function repository(folder = ""): SourceFile[] {
  return readdirSync(folder || ".", { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name;
    if (NOT_OURS.test(path)) return [];
    if (entry.isDirectory()) return repository(`${path}/`);
    return entry.isFile() && READ.test(path) ? [{ path, text: readFileSync(path, "utf8") }] : [];
  });
}

const file = (path: string, text: string): SourceFile => ({ path, text });
const lines = (count: number): string => Array.from({ length: count }, (_, index) => `work(${index});`).join("\n");

describe("the repository", () => {
  const files = repository();

  it("is what these rules look at", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.some(({ path }) => path === "package-lock.json")).toBe(true);
  });

  it.each([
    ["imports only from lower floors", floors],
    ["keeps sandbox, kit and dashboard apart", rooms],
    ["keeps the dashboard's areas strangers", dashboardRooms],
    ["is one folder deep", depth],
    ["has names that say what is inside", names],
    ["has files and functions that fit a screen or a sitting", sizes],
    ["begins each file with what it is", headers],
    ["keeps time, environment, console, chance and Stripe's SDK in their rooms, and runs every test", bans],
    ["silences no check", silencers],
    ["names no path, host or folder that others lack", mentions],
    ["gives each table one owner, which alone writes it", tableOwners],
  ])("%s", (_, rule) => {
    expect(rule(files)).toEqual([]);
  });
});

describe("a rule fails on", () => {
  it.each([
    ["an import from a higher floor", file("src/db/a.ts", 'import { b } from "../inbox/b.ts";')],
    ["a type import from a higher floor", file("src/db/a.ts", 'import type { B } from "../inbox/b.ts";')],
    ["an import type expression", file("src/db/a.ts", 'type B = import("../inbox/b.ts").B;')],
    ["a re-export from a higher floor", file("src/db/a.ts", 'export * from "../inbox/b.ts";')],
    ["a dynamic import from a higher floor", file("src/db/a.ts", 'await import("../inbox/b.ts");')],
    ["a worker from a higher floor", file("src/db/a.ts", 'new Worker(new URL("../inbox/b.ts", import.meta.url));')],
    ["a stranger on the same floor", file("src/db/a.ts", 'import { b } from "../stripe/b.ts";')],
    ["a file outside src", file("src/db/a.ts", 'import { b } from "../../test/support/b.ts";')],
    ["a room that nobody planned", file("src/things/a.ts", "")],
  ])("%s", (_, bad) => {
    expect(floors([bad])).toHaveLength(1);
  });

  it("imports of the sandbox from src", () => {
    expect(rooms([file("sandbox/a.ts", 'import { b } from "../src/base/b.ts";')])).toHaveLength(1);
    expect(rooms([file("dashboard/a.tsx", 'import { b } from "../kit/client.ts";')])).toEqual([]);
  });

  it("an area of the dashboard that imports another one, or what of the frame is not its", () => {
    for (const target of ["../operator/a.tsx", "../frame/session.ts"])
      expect(dashboardRooms([file("dashboard/tenant/a.tsx", `import { b } from "${target}";`)])).toHaveLength(1);
    const allowed = 'import { b } from "../frame/hooks.ts";\nimport { c } from "../parts/c.tsx";';
    expect(dashboardRooms([file("dashboard/tenant/a.tsx", allowed)])).toEqual([]);
  });

  it("a folder inside a room", () => {
    expect(depth([file("src/db/deep/a.ts", ""), file("src/db/migrations/0001_inbox.sql", "")])).toHaveLength(1);
  });

  it.each(["index", "utils", "types", "service", "event-handler", "invoice-data", "helpers.test"])(
    "a file named %s.ts",
    (name) => {
      expect(names([file(`src/db/${name}.ts`, "")])).toHaveLength(1);
    },
  );

  it("a file or function that is too long, comments in functions not counted", () => {
    expect(sizes([file("src/db/a.ts", lines(MAX_FILE_LINES + 1))])).toHaveLength(1);
    const body = (count: number): string => `function long() {\n// why\n\n${lines(count - 2)}\n}`;
    expect(sizes([file("src/db/a.ts", body(MAX_FUNCTION_LINES))])).toEqual([]);
    expect(sizes([file("src/db/a.ts", body(MAX_FUNCTION_LINES + 1))])).toHaveLength(1);
    expect(sizes([file("src/db/a.ts", `const long = () => {\n${lines(MAX_FUNCTION_LINES)}\n};`)])).toHaveLength(1);
  });

  it("a file that does not say what it is", () => {
    expect(headers([file("src/db/a.ts", "export const a = 1;")])).toHaveLength(1);
    expect(headers([file("src/db/a.ts", "// The first letter of all.\nexport const a = 1;")])).toEqual([]);
  });

  it.each([
    ["Date.now", "Date.now()"],
    ["an empty new Date", "new Date()"],
    ["performance.now", "performance.now()"],
    ["process.env", "process.env.PORT"],
    ["process.env by index", 'process.env["PORT"]'],
    ["console", 'console.log("x")'],
    ["Math.random", "Math.random()"],
    ["stripe outside its room", 'import Stripe from "stripe";'],
    ["stripe's types outside its room", 'import type Stripe from "stripe";'],
  ])("%s", (_, text) => {
    expect(bans([file("src/inbox/a.ts", text)])).toHaveLength(1);
    expect(bans([file("src/inbox/a.ts", `// ${text}\nconst said = ${JSON.stringify(text)};`)])).toEqual([]);
  });

  it("a test that is left out or runs alone", () => {
    for (const text of [
      "it.only(name, run)",
      "describe.skip(name, run)",
      "test.todo(name)",
      "it.each([1]).name; it.each.only",
    ]) {
      expect(bans([file("test/a.test.ts", text)])).toHaveLength(1);
    }
    expect(bans([file("test/a.test.ts", "it.skipIf(absent)(name, run)")])).toEqual([]);
  });

  it("a silenced check", () => {
    for (const text of ["// @ts-" + "ignore", "/* eslint-" + "disable */"])
      expect(silencers([file("src/db/a.ts", text)])).toHaveLength(1);
  });

  it("a path, host or folder that others lack", () => {
    for (const text of ["see /ho" + "me/me/x", "http://regi" + "stry.example/x", "reads .." + "/shared/x"]) {
      expect(mentions([file("README.md", text)])).toHaveLength(1);
    }
    expect(mentions([file("src/api/a.ts", 'route("/api/v1/work/x"); // https://stripe.com/docs')])).toEqual([]);
  });

  it("a table without an owner, with two, or written by a stranger", () => {
    const migration = file(
      "src/db/migrations/0001_a.sql",
      "create table things (id int);\ncreate table things_1 partition of things default;",
    );
    const owner = file("src/inbox/a.ts", '// All about things. Table: things\nquery("insert into things values (1)");');
    expect(tableOwners([migration])).toHaveLength(1);
    expect(tableOwners([migration, owner])).toEqual([]);
    expect(tableOwners([migration, owner, file("src/inbox/b.ts", "// More. Table: things")])).toHaveLength(1);
    expect(tableOwners([owner])).toHaveLength(1);
    for (const text of [
      'query("update things set id = 2")',
      "query(`with gone as (delete\n from only things) select 1`)",
      'db.insertInto("things")',
    ]) {
      expect(tableOwners([migration, owner, file("src/inbox/b.ts", text)])).toHaveLength(1);
    }
    expect(
      tableOwners([migration, owner, file("src/inbox/b.ts", 'query("select 1 from things for update skip locked")')]),
    ).toEqual([]);
  });

  it("a computed table name outside the projections' general owner", () => {
    const migration = file("src/db/migrations/0001_a.sql", "create table invoices (id int)");
    const projection = file("src/projections/invoice.ts", 'export const invoice = { table: "invoices" };');
    const text = "query(`insert into ${table} values (1)`);";
    expect(tableOwners([migration, projection, file("src/inbox/a.ts", text)])).toHaveLength(1);
    const general = file("src/inbox/a.ts", `// Writes them.\n// Owns every table that the registry names.\n${text}`);
    expect(tableOwners([migration, projection, general])).toEqual([]);
  });
});

// The house rules as pure functions over files: each returns what is wrong, one sentence per place.
import { posix } from "node:path";

import ts from "typescript";

import { functionsOf, headerOf, importsOf, lineOf, nodesOf, stringsOf, treeOf } from "./tidy-source.ts";
import type { SourceFile } from "./tidy-source.ts";

/** Import only from a lower floor or from the own room; rooms on one floor are strangers. */
export const FLOORS: Record<string, number> = {
  base: 0,
  "config.ts": 1,
  db: 2,
  stripe: 2,
  work: 3,
  audit: 4,
  mail: 4,
  outbox: 5,
  tenants: 6,
  accounts: 7,
  credits: 7,
  connections: 7,
  projections: 8,
  inbox: 9,
  billing: 10,
  connect: 10,
  operations: 10,
  api: 11,
  "app.ts": 12,
  cli: 12,
  "main.ts": 12,
};

export const MAX_FILE_LINES = 400;
export const MAX_FUNCTION_LINES = 70;

const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.startsWith("test/");
const isCode = (path: string): boolean => /\.tsx?$/.test(path);
/** Written by a generator, which test/generated.test.ts holds it against. */
const isGenerated = (path: string): boolean => path.startsWith("kit/generated/");
const inSource = (path: string): boolean => path.startsWith("src/");
const inDashboard = (path: string): boolean => path.startsWith("dashboard/");

/** `src/inbox/receive.ts` → `inbox`; `src/app.ts` → `app.ts`. */
const roomOf = (path: string): string => path.split("/")[1] ?? "";
/** Files that a large one was cut into stand on its floor: `src/app-metrics.ts`, `src/config.test.ts`. */
const floorOf = (room: string): number | undefined => FLOORS[room.replace(/^(app|config|main)[-.].*$/, "$1.ts")];
/** Files in src itself are one room on each floor; on the top floor everything is wiring, and wires everything. */
const sameRoom = (one: string, other: string): boolean =>
  one === other || (one.endsWith(".ts") && other.endsWith(".ts")) || floorOf(one) === floorOf("main.ts");

export function floors(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files.filter(({ path }) => inSource(path) && isCode(path))) {
    const room = roomOf(file.path);
    const floor = floorOf(room);
    if (floor === undefined) {
      wrong.push(`${file.path}: \`${room}\` is no room of DESIGN §5`);
      continue;
    }
    for (const { line, value } of importsOf(file).filter(({ value }) => value.startsWith("."))) {
      const target = posix.join(posix.dirname(file.path), value);
      const problem = importProblem(file.path, room, floor, target);
      if (problem !== undefined) wrong.push(`${file.path}:${line}: ${problem}`);
    }
  }
  return wrong;
}

function importProblem(path: string, room: string, floor: number, target: string): string | undefined {
  // One file starts the sandbox; nothing else of ours knows that Stripe may be on this machine.
  if (target === "sandbox/sandbox.ts" && path === "src/cli/local-stripe.ts") return undefined;
  if (!inSource(target)) {
    return isTest(path) && target.startsWith("test/support/") ? undefined : `imports ${target}, which is outside src`;
  }
  const other = roomOf(target);
  const otherFloor = floorOf(other);
  if (otherFloor === undefined) return `imports ${target}, which is in no room`;
  if (otherFloor > floor) return `${room} (floor ${floor}) imports ${target} from floor ${otherFloor}`;
  if (otherFloor === floor && !sameRoom(room, other)) return `${room} imports its stranger ${target} on floor ${floor}`;
  return undefined;
}

/** Other places of the repository import what they may: sandbox and kit stand alone. */
export function rooms(files: readonly SourceFile[]): string[] {
  const alone: Record<string, RegExp> = {
    "sandbox/": /^sandbox\//,
    "kit/": /^kit\//,
    "dashboard/": /^(dashboard|kit)\//,
  };
  const wrong: string[] = [];
  for (const file of files) {
    const allowed = Object.entries(alone).find(([folder]) => file.path.startsWith(folder))?.[1];
    if (allowed === undefined || !/\.tsx?$/.test(file.path)) continue;
    for (const { line, value } of importsOf(file).filter(({ value }) => value.startsWith("."))) {
      const target = posix.join(posix.dirname(file.path), value);
      if (!allowed.test(target)) wrong.push(`${file.path}:${line}: imports ${target}`);
    }
  }
  return wrong;
}

/** What each room of the dashboard may import of the others: areas are strangers, and know only the frame's hooks. */
const DASHBOARD_ROOMS: Record<string, RegExp> = {
  parts: /^dashboard\/parts\//,
  frame: /^dashboard\/(frame|parts)\/|^dashboard\/(\w+)\/\2-area\.tsx$/,
  account: /^dashboard\/(account|parts)\/|^dashboard\/frame\/hooks\.ts$/,
  tenant: /^dashboard\/(tenant|parts)\/|^dashboard\/frame\/hooks\.ts$/,
  operator: /^dashboard\/(operator|parts)\/|^dashboard\/frame\/hooks\.ts$/,
  sandbox: /^dashboard\/(sandbox|parts)\/|^dashboard\/frame\/hooks\.ts$/,
};

export function dashboardRooms(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files.filter(({ path }) => inDashboard(path) && isCode(path))) {
    const allowed = DASHBOARD_ROOMS[roomOf(file.path)];
    if (allowed === undefined) wrong.push(`${file.path}: is in no room of the dashboard`);
    for (const { line, value } of importsOf(file).filter(({ value }) => value.startsWith("."))) {
      const target = posix.join(posix.dirname(file.path), value);
      if (inDashboard(target) && allowed?.test(target) === false) wrong.push(`${file.path}:${line}: imports ${target}`);
    }
  }
  return wrong;
}

export function depth(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter((path) => (inSource(path) || inDashboard(path)) && path.split("/").length > 3)
    .filter((path) => !/^src\/db\/migrations\/\d{4}_[a-z_]+\.sql$/.test(path))
    .map((path) => `${path}: deeper than <src or dashboard>/<room>/<file>`);
}

const EMPTY_NAMES =
  /^(index|types?|constants|common|misc|shared)$|(^|-)(handle|handlers?|managers?|services?|utils?|helpers?|data|info)($|-)/;

export function names(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => (inSource(path) || inDashboard(path)) && isCode(path))
    .filter(({ path }) => EMPTY_NAMES.test(posix.basename(path).replace(/(\.test)?\.tsx?$/, "")))
    .map(({ path }) => `${path}: the name does not say what is inside`);
}

export function sizes(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files.filter(({ path }) => isCode(path) && !isGenerated(path))) {
    const lines = file.text.trimEnd().split("\n").length;
    if (lines > MAX_FILE_LINES) wrong.push(`${file.path}: ${lines} lines, more than ${MAX_FILE_LINES}`);
    if (isTest(file.path)) continue; // a describe() holds a whole suite
    for (const { line, value } of functionsOf(file)) {
      if (value.lines > MAX_FUNCTION_LINES) {
        wrong.push(`${file.path}:${line}: ${value.name} has ${value.lines} lines, more than ${MAX_FUNCTION_LINES}`);
      }
    }
  }
  return wrong;
}

/** A test beside the code is named after its subject, which says it. */
export function headers(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path) && !(inSource(path) && isTest(path)))
    .filter((file) => !/^\/\/ \S.{10,}/.test(headerOf(file)))
    .map(({ path }) => `${path}: does not begin with a line that says what it is`);
}

interface Ban {
  what: string;
  found: (node: ts.Node) => boolean;
  allowed: (path: string) => boolean;
}

const isAccess = (node: ts.Node, object: string, property?: string): boolean =>
  (ts.isPropertyAccessExpression(node) &&
    node.expression.getText() === object &&
    (property === undefined || node.name.text === property)) ||
  (ts.isElementAccessExpression(node) && node.expression.getText() === object && property === undefined);

const RUNNERS = /^(describe|it|test|bench|suite)(\.(each|for|concurrent|sequential))?$/;

/** Each thing has one room: time and chance can be tested, configuration is documented, output is logged. */
const BANS: Ban[] = [
  {
    what: "reads the system's time: ask the Clock",
    found: (node) =>
      isAccess(node, "Date", "now") ||
      isAccess(node, "performance", "now") ||
      (ts.isNewExpression(node) && node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0),
    allowed: (path) => !inSource(path) || isTest(path) || path === "src/base/clock.ts",
  },
  {
    what: "reads process.env: add a line to config.ts",
    found: (node) => isAccess(node, "process", "env"),
    allowed: (path) => !inSource(path) || isTest(path) || path === "src/config.ts",
  },
  {
    what: "writes to the console: use the log",
    found: (node) => isAccess(node, "console"),
    allowed: (path) => (!inSource(path) && !inDashboard(path)) || isTest(path) || path.startsWith("src/cli/"),
  },
  {
    what: "uses Math.random, which can be guessed",
    found: (node) => isAccess(node, "Math", "random"),
    allowed: (path) => !inSource(path) || isTest(path),
  },
  {
    what: "leaves a test out, or runs it alone",
    found: (node) =>
      ts.isPropertyAccessExpression(node) &&
      ["only", "skip", "todo", "fails"].includes(node.name.text) &&
      RUNNERS.test(node.expression.getText()),
    allowed: (path) => !isTest(path),
  },
];

export function bans(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files.filter(({ path }) => isCode(path))) {
    const active = BANS.filter(({ allowed }) => !allowed(file.path));
    for (const node of active.length === 0 ? [] : nodesOf(treeOf(file))) {
      for (const ban of active) {
        if (ban.found(node)) wrong.push(`${file.path}:${lineOf(file, node)}: ${ban.what}`);
      }
    }
    if (!inSource(file.path) || isTest(file.path) || file.path.startsWith("src/stripe/")) continue;
    for (const { line, value } of importsOf(file)) {
      if (/^stripe(\/|$)/.test(value)) wrong.push(`${file.path}:${line}: imports stripe: only src/stripe may`);
    }
  }
  return wrong;
}

// Written in two parts, so that this file does not trip over itself.
const SILENCERS = new RegExp(
  ["@ts-(ignore|expect-error|nocheck)", "eslint-" + "disable", "prettier-" + "ignore"].join("|"),
);

export function silencers(files: readonly SourceFile[]): string[] {
  return eachLine(files, isCode, (line) => (SILENCERS.test(line) ? "silences a check" : undefined));
}

/** What only this machine, or only its author, has. */
const MENTIONS: { what: string; pattern: RegExp; where: (path: string) => boolean }[] = [
  {
    what: "a path of one machine",
    pattern: /(?<![\w.}/])\/(work|home|root|Users)\/[\w.]|[A-Z]:\\Users\\/,
    where: () => true,
  },
  {
    what: "a package registry's host",
    pattern: /https?:\/\/[^\s"'`)]*(registry|artifactory|verdaccio|npm\.pkg)/i,
    where: () => true,
  },
  {
    what: "a folder outside the repository",
    pattern: /\.\.\/shared\b/,
    where: (path) => /^(src|docs)\/|^[A-Z]+\.md$/.test(path) && !isTest(path),
  },
];

export function mentions(files: readonly SourceFile[]): string[] {
  return MENTIONS.flatMap(({ what, pattern, where }) =>
    eachLine(files, where, (line) => (pattern.test(line) ? `names ${what}` : undefined)),
  );
}

function eachLine(
  files: readonly SourceFile[],
  where: (path: string) => boolean,
  check: (line: string) => string | undefined,
): string[] {
  const wrong: string[] = [];
  for (const { path, text } of files.filter(({ path }) => where(path))) {
    text.split("\n").forEach((line, index) => {
      const problem = check(line);
      if (problem !== undefined) wrong.push(`${path}:${index + 1}: ${problem}`);
    });
  }
  return wrong;
}

/** Every string of the sources, for rules about SQL. */
export function sqlOf(files: readonly SourceFile[]): { file: SourceFile; line: number; sql: string }[] {
  return files
    .filter(({ path }) => inSource(path) && isCode(path) && !isTest(path))
    .flatMap((file) => stringsOf(file).map(({ line, value }) => ({ file, line, sql: value })));
}

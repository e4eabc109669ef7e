// What commands print and read on a terminal: tables, times, failures, and the addresses of servers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { CommanderError } from "commander";
import { afterAll, describe, expect, it } from "vitest";

import { manualClock } from "../base/clock.ts";
import { ConfigError } from "../base/config-error.ts";
import { asFailure, EXIT, failed } from "./command-failure.ts";
import { operatorDoor } from "./operator-door.ts";
import type { TransportRequest } from "./operator-door.ts";
import { timeArgument } from "./option-values.ts";
import { localAddress, recordedServer, recordServerAddress } from "./server-address.ts";
import { pairs, table } from "./table.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a table", () => {
  it("is aligned, and nothing that a payload says moves the cursor", () => {
    const columns = [
      { title: "ID", cell: (row: Readonly<Record<string, unknown>>) => row.id },
      { title: "NAME", cell: (row: Readonly<Record<string, unknown>>) => row.name },
    ];
    const text = table(columns, [
      { id: "evt_long_1", name: null },
      { id: "evt_2", name: "\u001b[2J\nmean\u202e" },
    ]);
    expect(text).toBe("ID          NAME\nevt_long_1  –\nevt_2       \ufffd[2J mean\ufffd");
    expect(
      pairs([
        ["a", 1],
        ["long", true],
      ]),
    ).toBe("a     1\nlong  true");
  });
});

describe("a time", () => {
  const read = timeArgument(manualClock(1_700_000_000_000));
  it.each([
    ["1699999999", "1699999999"],
    ["24h", "1699913600"],
    ["90m", "1699994600"],
    ["2023-11-14T22:13:20Z", "1700000000"],
    ["2023-11-14", "1699920000"],
  ])("may be %s", (text, seconds) => {
    expect(read(text)).toBe(seconds);
  });

  it.each(["", "yesterday", "5", "24", "1h30m", "2023"])('is not "%s"', (text) => {
    expect(() => read(text)).toThrow("age such as 24h");
  });
});

describe("a failure", () => {
  it("is 2 for what was asked wrongly, 1 for what did not work", () => {
    expect(asFailure(new ConfigError([{ variable: "PORT", problem: "no" }])).exitCode).toBe(EXIT.usage);
    expect(asFailure(new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'")).exitCode).toBe(2);
    expect(asFailure(failed("code", "Title", "Sentence.")).exitCode).toBe(EXIT.failed);
    expect(asFailure(new Error("connect to postgres://me:secret@host failed")).body.message).not.toContain("secret@");
    expect(asFailure(new AggregateError([new Error("connect ECONNREFUSED ::1:5432")])).body.message).toContain(
      "ECONNREFUSED",
    );
  });

  it.each(["EACCES", "EPERM", "EROFS"])("of a folder that is somebody else's (%s) says whose command it is", (code) => {
    const thrown = Object.assign(new Error(`${code}: not permitted, open '/srv/data/server.json'`), { code });
    const failure = asFailure(Object.assign(thrown, { path: "/srv/data/server.json" }));
    expect(failure.body).toEqual({
      error: "No access",
      code: "no_access",
      message:
        "/srv/data/server.json belongs to another user, or cannot be written here: run as its owner, or give --url with OPERATOR_TOKEN.",
    });
    expect(failure.exitCode).toBe(EXIT.failed);
    // A port below 1024 has no path, and no owner.
    const port = Object.assign(new Error(`listen ${code}: permission denied 0.0.0.0:80`), { code });
    expect(asFailure(port).body.message).toContain("0.0.0.0:80");
  });
});

describe("the server of a folder", () => {
  it("is found while its process lives, and forgotten when it stops", async () => {
    const forget = await recordServerAddress(folder, "http://127.0.0.1:8123");
    expect(await recordedServer(folder)).toBe("http://127.0.0.1:8123");
    await forget();
    expect(await recordedServer(folder)).toBeUndefined();
  });

  it.each([
    ["of a process that was killed", { url: "http://127.0.0.1:8123", pid: 2 ** 22 + 1 }],
    ["that is no address", { url: "file:///etc/passwd", pid: process.pid }],
    ["with somebody's host in its path", { url: "http://127.0.0.1:1@evil.example", pid: process.pid }],
  ])("is not one %s", async (_, record) => {
    writeFileSync(join(folder, "server.json"), JSON.stringify(record));
    expect(await recordedServer(folder)).toBeUndefined();
  });

  it("that listens everywhere is reached on this machine", () => {
    expect(localAddress("0.0.0.0", 1)).toBe("http://127.0.0.1:1");
    expect(localAddress("::1", 1)).toBe("http://[::1]:1");
    expect(localAddress("10.0.0.7", 1)).toBe("http://10.0.0.7:1");
  });
});

it("a second signal ends a stop that takes too long, but one that was passed on twice does not", async () => {
  const script = `import("./src/cli/stop-signal.ts").then(async ({ stopSignal }) => {
    const stop = stopSignal();
    setInterval(() => {}, 1000);
    process.stdout.write("up ");
    process.stdout.write(await stop.requested);
  });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => said.push(text));
  await once(child.stdout, "data");
  child.kill("SIGINT");
  child.kill("SIGTERM");
  await setTimeout(1200);
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([1, null]);
  expect(said.join("")).toMatch(/^up SIG(INT|TERM)$/);
});

describe("the operator's door", () => {
  const asked: TransportRequest[] = [];
  const door = (status: number, ...chunks: string[]) =>
    operatorDoor({
      transport: (request) => {
        asked.push(request);
        return Promise.resolve({ status, chunks: bytesOf(chunks) });
      },
      token: "token-of-the-operator",
      where: "http://there",
      queueWaits: false,
    });
  async function* bytesOf(chunks: string[]): AsyncIterable<Uint8Array> {
    for (const chunk of chunks) yield Promise.resolve(Buffer.from(chunk, "latin1"));
  }
  const failure = (promise: Promise<unknown>) => promise.then(() => undefined, asFailure);

  it("leaves out filters that were not given", async () => {
    await door(200, "{}").call("GET", "/stripe-events/", { query: { type: "a,b*", status: undefined, limit: 5 } });
    expect(asked.at(-1)?.path).toBe("/api/v1/admin/stripe-events/?type=a%2Cb*&limit=5");
    expect(asked.at(-1)?.headers.authorization).toBe("Bearer token-of-the-operator");
  });

  it("gives lines as they come, however they were cut, also inside a character", async () => {
    const text = Buffer.from('{"a":"ü"}\n\n{"b":2}\n{"c":3}').toString("latin1");
    for (let cut = 0; cut < text.length; cut += 1) {
      const lines: unknown[] = [];
      for await (const line of door(200, text.slice(0, cut), text.slice(cut)).stream("POST", "/rebuild/"))
        lines.push(line);
      expect(lines).toEqual([{ a: "ü" }, { b: 2 }, { c: 3 }]);
    }
  });

  it("passes the API's error on, and says what to do about a refused token or a stranger", async () => {
    const body = { error: "Not found", code: "not_found", message: "Check the id.", request_id: "req_1" };
    expect((await failure(door(404, JSON.stringify(body)).call("GET", "/objects/x/")))?.body).toEqual(body);
    const refused = await failure(door(401, JSON.stringify(body)).call("GET", "/objects/x/"));
    expect(refused?.exitCode).toBe(EXIT.usage);
    expect(refused?.body.message).toContain("OPERATOR_TOKEN");
    for (const text of ["<html>", '{"error":1}', "null"]) {
      expect((await failure(door(502, text).call("GET", "/objects/x/")))?.body.code).toBe("not_billhook");
    }
  });
});

import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { type Ended, runBillhook } from "../../test/support/run-billhook.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../test/support/test-certificate.ts";
import { asFailure } from "./command-failure.ts";
import { unanswered } from "./server-trouble.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-trouble-"));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = async (answer: (response: ServerResponse) => void): Promise<string> =>
  `http://${await listen(
    createServer((request, response) => {
      request.resume().on("end", () => answer(response));
    }),
  )}`;

/** Answers with this, and breaks off before the end. */
const breaking = (text: string): Promise<string> =>
  answering((response) => {
    response.writeHead(200, { "content-length": 100_000 });
    response.write(text, () => setTimeout(() => response.destroy(), 50));
  });

const run = (...args: string[]): Promise<Ended> =>
  runBillhook(args, { DATA_DIR: folder, OPERATOR_TOKEN: "o".repeat(32) });

async function failureOf(...args: string[]): Promise<{ code: string; message: string }> {
  const ended = await run(...args, "--json");
  expect(ended.code).toBe(1);
  return JSON.parse(ended.err) as { code: string; message: string };
}

describe("an answer that breaks off", () => {
  const progress = '{"progress":{"done":1,"total":9,"per_second":1,"after":"acct_7"}}\n{"half":';

  it("is no fault of ours, and says what to do", async () => {
    const url = await breaking('{"data":[');
    const failure = await failureOf("events", "list", "--url", url);
    expect(failure.code).toBe("server_unreachable");
    expect(failure.message).toMatch(
      new RegExp(`^The connection to ${url} broke before the answer ended: .*before you run this again\\.$`),
    );
  });

  it.each([
    ["rebuild_interrupted", "The rebuild ended half way: run it again", ["rebuild"]],
    ["operation_interrupted", "The catch-up ended half way: run it again", ["catch-up"]],
    ["verify_interrupted", "The proof ended half way: go on with `--after acct_7`", ["ledger", "verify"]],
  ])("is told as %s by the commands that go on", async (code, sentence, args) => {
    const failure = await failureOf(...args, "--url", await breaking(progress));
    expect([failure.code, failure.message]).toEqual([code, expect.stringContaining(sentence)]);
  });

  it("behind its last line has told everything", async () => {
    const ended = await run("rebuild", "--url", await breaking('{"done":{"done":3,"differing":0,"pending":0}}\n'));
    expect(ended).toEqual({ code: 0, out: "3 objects rebuilt: no differences.\n", err: "" });
  });

  it("leaves no half backup", async () => {
    const path = mkdtempSync(join(folder, "backup-"));
    const failure = await failureOf("backup", join(path, "file"), "--url", await breaking("(µ/ý"));
    expect([failure.code, readdirSync(path)]).toEqual(["backup_interrupted", []]);
  });

  it("ends a send", async () => {
    const file = join(folder, "event.json");
    const event = { id: "evt_1", object: "event", type: "a.b", created: 1, livemode: false, data: { object: {} } };
    writeFileSync(file, JSON.stringify(event));
    const url = await breaking("{");
    const failure = await failureOf("send", file, "--secret", "whsec_x", "--url", url);
    expect([failure.code, failure.message]).toEqual([
      "server_unreachable",
      expect.stringContaining(`The connection to ${url}/stripe/webhook/ broke before the answer ended`),
    ]);
  });
});

describe("a server that gives no answer", () => {
  it("by a redirect, a certificate or an end of the connection is told by that", async () => {
    const file = join(folder, "sent.json");
    const event = { id: "evt_1", object: "event", type: "a.b", created: 1, livemode: false, data: { object: {} } };
    writeFileSync(file, JSON.stringify(event));
    const redirecting = await answering((response) => response.writeHead(308, { location: "https://x.example" }).end());
    const secure = `https://${await listen(createSecureServer({ cert: CERTIFICATE, key: PRIVATE_KEY }))}`;
    const closing = await answering((response) => response.destroy());
    const expected: [string, RegExp][] = [
      [redirecting, /redirects: give the address it redirects to/],
      [secure, /certificate of https:\S+ is refused \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/],
      [closing, /closed the connection before it answered/],
    ];
    for (const [url, sentence] of expected) {
      for (const args of [
        ["events", "list"],
        ["send", file, "--secret", "whsec_x"],
      ]) {
        const failure = await failureOf(...args, "--url", url);
        expect([failure.code, failure.message]).toEqual(["server_unreachable", expect.stringMatching(sentence)]);
        expect(failure.message).not.toContain("start it with");
      }
    }
  });

  const caused = (code: string): Error =>
    new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) });
  const said = (error: unknown): string => asFailure(unanswered("http://there", error)).body.message;

  it("because there is none is told to be started", () => {
    for (const code of ["ECONNREFUSED", "ENOTFOUND"]) {
      expect(said(caused(code))).toBe(
        "No server answers at http://there: start it with `billhook serve`, or give its address with --url.",
      );
    }
    const both = new AggregateError([Object.assign(new Error("::1"), { code: "ECONNREFUSED" })]);
    expect(said(new TypeError("fetch failed", { cause: both }))).toContain("start it with");
  });

  it("in time may still be working", async () => {
    const url = await answering(() => undefined);
    const error: unknown = await fetch(url, { signal: AbortSignal.timeout(50) }).catch((thrown: unknown) => thrown);
    for (const slow of [error, caused("UND_ERR_HEADERS_TIMEOUT")])
      expect(said(slow)).toContain("did not answer in time; it may still be working");
  });

  it.each([
    ["EHOSTUNREACH", "cannot be reached from here (EHOSTUNREACH)"],
    ["CERT_HAS_EXPIRED", "is refused (CERT_HAS_EXPIRED)"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "speaks no TLS"],
    ["E_NEW", "http://there could not be asked (E_NEW)"],
  ])("for %s is told by that", (code, sentence) => {
    expect(said(caused(code))).toContain(sentence);
  });
});

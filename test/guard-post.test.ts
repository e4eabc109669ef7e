// POST under the guard, over real sockets: what it reads, when it ends, and what it says.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { AddressPolicy, Resolve } from "../src/outbox/address-policy.ts";
import { dnsAddresses, guardedPost } from "../src/outbox/guarded-post.ts";
import { openDnsServer } from "./support/dns-server.ts";
import {
  closeAll,
  closing,
  DEVELOPMENT,
  http,
  https,
  listening,
  policy,
  post,
  urlOf,
  wire,
} from "./support/post-scene.ts";
import { AUTHORITY } from "./support/test-certificate.ts";

afterEach(closeAll);

/** A receiver with room for two who wait to be accepted. */
const FAR = `
  const server = require("node:http").createServer((request, response) => response.end("ok"));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;

const trusted = getCACertificates();
beforeAll(() => setDefaultCACertificates([...trusted, AUTHORITY]));
afterAll(() => setDefaultCACertificates(trusted));

describe("a guarded POST", () => {
  it("sends the body and headers as they are, and tells status, headers and body", async () => {
    const got: unknown[] = [];
    const server = await http((request, response) => {
      const { method, url, headers } = request;
      let body = "";
      request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      request.on("end", () => {
        got.push({ method, url, body, ...headers });
        response.writeHead(202, { "x-own": "1", "retry-after": "7" }).end("thänks\0");
      });
    });
    const exchange = await post(urlOf(server), policy(DEVELOPMENT), 3_000, {
      "webhook-id": "msg_1",
      "accept-encoding": "gzip",
    });
    expect(exchange).toMatchObject({ outcome: "answered", statusCode: 202, body: "thänks\uFFFD", retryAfter: 7 });
    expect(exchange).toMatchObject({ headers: { "x-own": "1" }, latencyMs: expect.any(Number) });
    expect(got).toMatchObject([{ method: "POST", url: "/hook?a=b", body: '{"a":"ü"}', "webhook-id": "msg_1" }]);
    expect(got).toMatchObject([
      { "content-type": "application/json", "accept-encoding": "identity", "content-length": "10" },
    ]);
  });

  it("uses connections again, and never under another policy", async () => {
    const server = await http((_, response) => response.end("ok"));
    const under = policy(DEVELOPMENT);
    for (let round = 0; round < 50; round += 1) await post(urlOf(server), under);
    // One is still being given back when the next post begins.
    expect(server.opened).toBeLessThanOrEqual(2);
    const before = server.opened;
    expect(await post(urlOf(server), policy())).toMatchObject({ outcome: "failed", code: "invalid_url" });
    await post(urlOf(server), policy(DEVELOPMENT));
    expect(server.opened).toBe(before + 1);
  });

  it("waits for no other post to the same origin: many tenants may have theirs there", async () => {
    const waiting: (() => void)[] = [];
    const server = await http((_, response) => {
      waiting.push(() => response.end());
      if (waiting.length === 100) for (const answer of waiting) answer();
    });
    const under = policy(DEVELOPMENT);
    const all = await Promise.all(Array.from({ length: 100 }, () => post(urlOf(server), under, 10_000)));
    expect(all.every(({ outcome }) => outcome === "answered")).toBe(true);
  });

  it("reads when to try again from seconds or a date, and from nothing else", async () => {
    const said = [new Date(Date.now() + 90_000).toUTCString(), "120", "soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT"];
    said.push("9999999999", "1.5", "100, 200");
    let next = 0;
    const server = await http((_, response) => response.writeHead(429, { "retry-after": said[next++] }).end());
    const under = policy(DEVELOPMENT);
    const found: (number | null | undefined)[] = [];
    for (const _ of said) {
      const exchange = await post(urlOf(server), under);
      found.push(exchange.outcome === "answered" ? exchange.retryAfter : undefined);
    }
    expect(found.slice(0, 5)).toEqual([expect.toBeOneOf([89, 90]), 120, null, null, 0]);
    // Far off is far off, and of a header that came twice the first one counts.
    expect(found.slice(5)).toEqual([31_536_000, null, 100]);
  });
});

describe("what the operator vouches for", () => {
  it("is reached on that host and port alone, although it is private", async () => {
    const server = await http((_, response) => response.end("inside"));
    const other = await http((_, response) => response.end("outside"));
    const resolve: Resolve = async () => ["127.0.0.1"];
    const under = policy({ allowed: [{ host: "receiver", port: server.port, plain: true }], resolve });
    expect(await post(`http://receiver:${server.port}/`, under)).toMatchObject({ statusCode: 200, body: "inside" });
    expect(await post(`http://receiver:${other.port}/`, under)).toMatchObject({ outcome: "failed" });
    expect(await post(`https://other.example:${server.port}/`, under)).toMatchObject({ code: "refused_address" });
    expect([server.opened, other.opened]).toEqual([1, 0]);
  });
});

describe("a receiver that is far away", () => {
  it("is waited for where its first address takes a second to connect to, and the next one refuses", async () => {
    const far = spawn(process.execPath, ["-e", FAR]);
    closing.push(() => void far.kill("SIGKILL"));
    const [line] = (await once(far.stdout, "data")) as [Buffer];
    const port = Number(line.toString("utf8"));
    far.kill("SIGSTOP");
    // Two are taken by the kernel; the next one's first packet is dropped, and sent again after a second.
    const fillers = [1, 2].map(() => connect(port, "127.0.0.1"));
    await Promise.all(fillers.map((filler) => once(filler, "connect")));
    setTimeout(() => far.kill("SIGCONT"), 600);
    const resolve: Resolve = async () => ["127.0.0.1", "127.0.0.2"];
    const allowed = [{ host: "far.example", port, plain: true }];
    const exchange = await post(`http://far.example:${port}/`, policy({ allowed, resolve }), 10_000);
    for (const filler of fillers) filler.destroy();
    expect(exchange).toMatchObject({ outcome: "answered", statusCode: 200 });
    expect(exchange.latencyMs).toBeGreaterThan(500);
  });
});

describe("TLS", () => {
  const under = (port: number, ...hosts: string[]): AddressPolicy =>
    policy({ allowed: hosts.map((host) => ({ host, port, plain: false })), resolve: async () => ["127.0.0.1"] });

  it("is checked against the host's name, not against the address that is connected to", async () => {
    const server = await https((_, response) => response.end("sealed"));
    const allowed = under(server.port, "receiver.test", "other.test", "127.0.0.1");
    expect(await post(`https://receiver.test:${server.port}/`, allowed)).toMatchObject({
      statusCode: 200,
      body: "sealed",
    });
    expect(await post(`https://127.0.0.1:${server.port}/`, allowed)).toMatchObject({ statusCode: 200 });
    expect(await post(`https://other.test:${server.port}/`, allowed)).toMatchObject({ code: "tls" });
  });

  it("fails on a certificate that nobody vouches for, and on a server without TLS", async () => {
    const server = await https((_, response) => response.end());
    setDefaultCACertificates(trusted);
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const exchange = await post(`https://receiver.test:${server.port}/`, under(server.port, "receiver.test"));
      expect(exchange).toMatchObject({ code: "tls" });
    } finally {
      setDefaultCACertificates([...trusted, AUTHORITY]);
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    const plain = await http((_, response) => response.end());
    expect(await post(`https://receiver.test:${plain.port}/`, under(plain.port, "receiver.test"))).toMatchObject({
      code: "tls",
    });
  });
});

describe("an exchange ends in time, and in bytes", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["never answers", () => undefined],
    ["drips its headers", (socket) => drip(socket, "HTTP/1.1 200 OK\r\nx: ")],
    ["drips its body", (socket) => drip(socket, "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")],
    ["says 100 or 103 for ever", (socket) => drip(socket, "", "HTTP/1.1 103 Early Hints\r\n\r\n")],
  ])("when a receiver %s", async (_, answer) => {
    const server = await wire(answer);
    const began = performance.now();
    const exchange = await post(urlOf(server), policy(DEVELOPMENT), 300);
    expect(exchange).toMatchObject({
      outcome: "failed",
      code: "timeout",
      message: expect.stringContaining("0.3 seconds"),
    });
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("when DNS is silent", async () => {
    const server = await openDnsServer(() => null);
    closing.push(() => server.close());
    const began = performance.now();
    const exchange = await post("https://silent.example/", policy({ resolve: dnsAddresses([server.address]) }), 300);
    expect([exchange, performance.now() - began < 1_500]).toMatchObject([{ code: "timeout" }, true]);
  });

  it("when DNS is silent for one family of addresses: the other's are enough", async () => {
    for (const silent of ["A", "AAAA"] as const) {
      const server = await openDnsServer((_, type) =>
        type === silent ? null : type === "A" ? ["192.0.2.1"] : ["2001:db8::1"],
      );
      closing.push(() => server.close());
      const began = performance.now();
      const found = await dnsAddresses([server.address])("half.example");
      expect(found).toEqual([silent === "A" ? "2001:db8::1" : "192.0.2.1"]);
      expect(performance.now() - began).toBeLessThan(1_500);
    }
  });

  it("when the caller ends it", async () => {
    const server = await wire(() => undefined);
    const stop = new AbortController();
    const options = { url: urlOf(server), headers: {}, body: "{}", timeoutMs: 5_000, policy: policy(DEVELOPMENT) };
    setTimeout(() => stop.abort(), 50);
    expect(await guardedPost({ ...options, signal: stop.signal })).toMatchObject({ outcome: "failed", code: "reset" });
    expect(await guardedPost({ ...options, signal: stop.signal })).toMatchObject({ outcome: "failed", code: "reset" });
  });

  it("when a body has no end: 64 KiB are read and 16 KiB kept", async () => {
    const server = await http((_, response) => {
      const more = (): void => {
        while (response.write("ü".repeat(8_192)));
        response.once("drain", more);
      };
      more();
    });
    const exchange = await post(urlOf(server), policy(DEVELOPMENT), 5_000);
    expect(exchange).toMatchObject({ outcome: "answered", statusCode: 200, body: "ü".repeat(8_192) });
    const left = server.sent();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What the kernels had buffered is gone; no more follows.
    expect(server.sent()).toBe(left);
  });

  it("when 50 MB come as gzip, which nobody asked for and nobody inflates", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const server = await http((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    const before = process.memoryUsage().rss;
    const exchange = await post(urlOf(server), policy(DEVELOPMENT));
    expect(exchange).toMatchObject({ outcome: "answered", statusCode: 200 });
    const body = exchange.outcome === "answered" ? exchange.body : "";
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(16 * 1024);
    // Gzip's own first byte: what it holds was never looked at.
    expect(body.charCodeAt(0)).toBe(bomb[0]);
    expect(process.memoryUsage().rss - before).toBeLessThan(30 * 1024 * 1024);
  });

  it("with a code for each way to fail", async () => {
    const under = policy(DEVELOPMENT);
    const failed = async (answer: (socket: Socket) => void): Promise<unknown> => {
      const exchange = await post(urlOf(await wire(answer)), under, 2_000);
      return exchange.outcome === "failed" ? exchange.code : exchange.statusCode;
    };
    expect(await failed((socket) => socket.destroy())).toBe("reset");
    expect(await failed((socket) => socket.resetAndDestroy())).toBe("reset");
    expect(await failed((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"))).toBe("reset");
    expect(await failed((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"))).toBe("protocol");
    expect(await failed((socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(20_000)}\r\n\r\n`))).toBe(
      "too_large",
    );
    const gone = createServer();
    const { port } = await listening(gone);
    await new Promise((resolve) => gone.close(resolve));
    expect(await post(`http://127.0.0.1:${port}/`, under)).toMatchObject({ code: "connect" });
  });
});

function drip(socket: Socket, first: string, piece = "a"): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on("close", () => clearInterval(timer));
}

// POST under the guard, over real sockets: where it never connects, what it reads, when it ends, and what it says.
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";

import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest";

import type { AddressPolicy, Resolve } from "../src/outbox/address-policy.ts";
import { closeConnections, dnsAddresses, type Exchange, guardedPost } from "../src/outbox/guarded-post.ts";
import { openDnsServer } from "./support/dns-server.ts";
import { AUTHORITY, CERTIFICATE, PRIVATE_KEY } from "./support/test-certificate.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const trusted = getCACertificates();
beforeAll(() => setDefaultCACertificates([...trusted, AUTHORITY]));
afterAll(() => setDefaultCACertificates(trusted));

interface Listening {
  port: number;
  /** Connections that were opened. */
  opened: number;
  /** Bytes that left, over all connections. */
  sent: () => number;
}

async function listening(server: Server, host = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>();
  const found: Listening = {
    port: 0,
    opened: 0,
    sent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0),
  };
  server.on("connection", (socket: Socket) => {
    found.opened += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(0, host, resolve));
  found.port = (server.address() as AddressInfo).port;
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return found;
}

const http = (answer: RequestListener): Promise<Listening> => listening(createHttpServer(answer));
/** Answers by hand, whatever comes. */
const wire = (onConnection: (socket: Socket) => void): Promise<Listening> =>
  listening(
    createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => onConnection(socket));
    }),
  );
const https = (answer: RequestListener): Promise<Listening> =>
  listening(createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, answer));

function policy(more: Partial<AddressPolicy> = {}): AddressPolicy {
  const made: AddressPolicy = { loopback: false, allowed: [], ports: [{ from: 1, to: 65_535 }], ...more };
  closing.push(() => closeConnections(made));
  return made;
}

const post = (url: string, under: AddressPolicy, timeoutMs = 3_000, headers = {}): Promise<Exchange> =>
  guardedPost({ url, headers, body: '{"a":"ü"}', timeoutMs, policy: under });

const DEVELOPMENT = { loopback: true };
const urlOf = (server: Listening): string => `http://127.0.0.1:${server.port}/hook?a=b`;

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
    let next = 0;
    const server = await http((_, response) => response.writeHead(429, { "retry-after": said[next++] }).end());
    const under = policy(DEVELOPMENT);
    const found: (number | null | undefined)[] = [];
    for (const _ of said) {
      const exchange = await post(urlOf(server), under);
      found.push(exchange.outcome === "answered" ? exchange.retryAfter : undefined);
    }
    expect(found).toEqual([expect.toBeOneOf([89, 90]), 120, null, expect.toBeOneOf([0, null]), 0]);
  });
});

describe("a canary on a private address sees no connection", () => {
  it.each([
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "0177.1",
    "0",
    "①②⑦.⓪.⓪.①",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::]",
  ])("whoever is sent to %s", async (host) => {
    const canary = await http((_, response) => response.end());
    for (const scheme of ["https", "http"]) {
      expect(await post(`${scheme}://${host}:${canary.port}/`, policy())).toMatchObject({ outcome: "failed" });
    }
    expect(canary.opened).toBe(0);
  });

  it("when a name resolves to it, alone or beside public addresses, in any form", async () => {
    const canary = await http((_, response) => response.end());
    const answers = [
      ["127.0.0.1"],
      ["11.0.0.1", "127.0.0.1"],
      ["::1"],
      ["::ffff:127.0.0.1"],
      ["0.0.0.0"],
      ["::"],
      ["64:ff9b::7f00:1"],
      ["nonsense"],
    ];
    for (const found of answers) {
      const under = policy({ resolve: async () => found });
      expect(await post(`https://evil.example:${canary.port}/`, under)).toMatchObject({ code: "refused_address" });
    }
    expect(canary.opened).toBe(0);
  });

  it("when DNS says a public address first and a private one at the next question", async () => {
    const canary = await http((_, response) => response.end());
    // Nobody answers at 11.0.0.1.
    const server = await openDnsServer((_, type, time) =>
      type === "AAAA" ? [] : [time === 1 ? "11.0.0.1" : "127.0.0.1"],
    );
    closing.push(() => server.close());
    const under = policy({ resolve: dnsAddresses([server.address]) });
    const url = `https://rebinding.example:${canary.port}/`;
    const first = await post(url, under, 400);
    expect(["timeout", "connect"]).toContain(first.outcome === "failed" ? first.code : "answered");
    expect(await post(url, under, 400)).toMatchObject({ code: "refused_address" });
    const asked = server.asked.filter((question) => question === "rebinding.example A");
    expect([canary.opened, asked.length]).toEqual([0, 2]);
  });

  it("when a name that was allowed moves inside: the next connection asks DNS again", async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === "IPv4" && !one.internal)?.address;
    const receiver = await http((_, response) => response.writeHead(200, { connection: "close" }).end("ok"));
    const server = await openDnsServer((_, type, time) =>
      type === "AAAA" ? [] : [time === 1 ? "127.0.0.1" : time === 2 ? "0.0.0.0" : (own ?? "10.0.0.1")],
    );
    closing.push(() => server.close());
    // Loopback stands for the public network here, and 0.0.0.0 for a private way to the same listener.
    const under = policy({ ...DEVELOPMENT, resolve: dnsAddresses([server.address]) });
    const url = `http://moving.localhost:${receiver.port}/`;
    expect(await post(url, under)).toMatchObject({ statusCode: 200 });
    expect(await post(url, under)).toMatchObject({ code: "refused_address" });
    expect(await post(url, under)).toMatchObject({ code: "refused_address" });
    expect(receiver.opened).toBe(1);
  });

  it("when a receiver redirects to it, by any status, header or page", async () => {
    const canary = await http((_, response) => response.end());
    const location = `http://127.0.0.1:${canary.port}/`;
    let status = 300;
    const server = await http((_, response) => {
      const headers = {
        location,
        refresh: `0; url=${location}`,
        "content-location": location,
        link: `<${location}>; rel=next`,
      };
      response.writeHead(status, headers).end(`<meta http-equiv=refresh content="0;url=${location}">`);
    });
    const under = policy(DEVELOPMENT);
    for (status of [200, 201, 300, 301, 302, 303, 304, 305, 307, 308, 401, 407, 421, 426, 503]) {
      expect(await post(urlOf(server), under)).toMatchObject({ outcome: "answered", statusCode: status });
    }
    expect(canary.opened).toBe(0);
  });

  it("though the system's resolver or a proxy of the environment would lead there", async () => {
    const canary = await http((_, response) => response.end());
    const before = { ...process.env };
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"])
      process.env[name] = `http://127.0.0.1:${canary.port}`;
    closing.push(() => void (process.env = before));
    expect(await post("https://unknown.invalid/", policy({ resolve: async () => [] }))).toMatchObject({ code: "dns" });
    const rejects = { resolve: () => Promise.reject(new Error("SERVFAIL")) };
    expect(await post("https://unknown.invalid/", policy(rejects))).toMatchObject({ code: "dns" });
    expect(canary.opened).toBe(0);
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
    expect(Buffer.byteLength(exchange.outcome === "answered" ? exchange.body : "")).toBeLessThanOrEqual(16 * 1024);
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

// The load generator, a process of its own: signs events and posts them, or repeats a GET, over a fixed number of kept
// connections, each sending its next request when the last one was answered. Told what to do over IPC by load-process.ts.
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";

import { eventStream } from "./events.ts";
import type { EventOrder, LoadAnswer, LoadOrder, LoadResult, ReadOrder } from "./load-process.ts";

process.on("disconnect", () => process.exit(1));
process.on("message", (order: LoadOrder) => {
  run(order).then(
    (result) => answer({ done: result }),
    (error: unknown) => answer({ failed: error instanceof Error ? error.message : String(error) }),
  );
});

function answer(message: LoadAnswer): void {
  process.send?.(message);
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const requests = "bearer" in order ? reads(order) : signedRequests(order);
  const sockets = await Promise.all(Array.from({ length: order.connections }, () => open(order.port)));
  const latencies = new Float64Array(requests.length);
  const statuses = new Map<number, number>();
  let next = 0;
  let bodies = 0;
  const startedAt = process.hrtime.bigint();
  const began = performance.now();
  const cpu = process.cpuUsage();
  try {
    await Promise.all(
      sockets.map((socket) =>
        sendAll(socket, () => {
          const request = requests[next];
          if (request === undefined) return undefined;
          const number = next++;
          bodies += request.length;
          const sent = performance.now();
          return {
            request,
            answered: (status) => {
              latencies[number] = performance.now() - sent;
              statuses.set(status, (statuses.get(status) ?? 0) + 1);
            },
          };
        }),
      ),
    );
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort();
  const percentile = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1] ?? 0;
  return {
    ...{ startedAt: Number(startedAt), seconds, sent: next, statuses: Object.fromEntries(statuses) },
    ...{ p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) },
    cpuSeconds: (user + system) / 1e6,
    meanRequestBytes: Math.round(bodies / Math.max(1, next)),
  };
}

/** Whole requests, head and body in one buffer, so that sending is one write. Signed now: Stripe's signatures last 300 s. */
function signedRequests({ seed, count, from, port, path, secret }: EventOrder): Buffer[] {
  const time = Math.floor(Date.now() / 1000);
  return Array.from(eventStream({ seed, count, from }), ({ body }) => {
    const signature = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
    const head =
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n` +
      `Accept: */*\r\nCache-Control: no-cache\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Stripe-Signature: t=${time},v1=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    return Buffer.from(head + body);
  });
}

function reads({ count, port, path, bearer }: ReadOrder): Buffer[] {
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${bearer}\r\n\r\n`;
  const request = Buffer.from(head);
  return Array.from({ length: count }, () => request);
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

interface Sending {
  request: Buffer;
  answered: (status: number) => void;
}

/** One connection's closed loop: the next request goes out when the last one's answer is whole. */
function sendAll(socket: Socket, next: () => Sending | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let sending = next();
    let answer = "";
    const advance = (): void => {
      if (sending === undefined) resolve();
      else socket.write(sending.request);
    };
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection before it had answered")));
    socket.on("data", (chunk: string) => {
      answer += chunk;
      const length = answerLength(answer);
      if (length instanceof Error) reject(length);
      else if (length !== undefined && answer.length >= length) {
        sending?.answered(Number(answer.slice(9, 12)));
        answer = answer.slice(length);
        sending = next();
        advance();
      }
    });
    advance();
  });
}

/** Length of the first answer, head and body; undefined while its head is not whole. */
function answerLength(answer: string): number | Error | undefined {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, end + 2));
  return length === null
    ? new Error(`an answer without Content-Length: ${answer.slice(0, 80)}`)
    : end + 4 + Number(length[1]);
}

// Servers that a guarded POST meets, over real sockets, and how tests post to them.
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import type { AddressPolicy } from "../../src/outbox/address-policy.ts";
import { closeConnections, type Exchange, guardedPost } from "../../src/outbox/guarded-post.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./test-certificate.ts";

export const closing: (() => Promise<void> | void)[] = [];

/** What a test has opened is closed, the last one first. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

export interface Listening {
  port: number;
  /** Connections that were opened. */
  opened: number;
  /** Bytes that left, over all connections. */
  sent: () => number;
}

export async function listening(server: Server, host = "127.0.0.1"): Promise<Listening> {
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

export const http = (answer: RequestListener): Promise<Listening> => listening(createHttpServer(answer));
/** Answers by hand, whatever comes. */
export const wire = (onConnection: (socket: Socket) => void): Promise<Listening> =>
  listening(
    createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => onConnection(socket));
    }),
  );
export const https = (answer: RequestListener): Promise<Listening> =>
  listening(createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, answer));

export function policy(more: Partial<AddressPolicy> = {}): AddressPolicy {
  const made: AddressPolicy = { loopback: false, allowed: [], ports: [{ from: 1, to: 65_535 }], ...more };
  closing.push(() => closeConnections(made));
  return made;
}

export const post = (url: string, under: AddressPolicy, timeoutMs = 3_000, headers = {}): Promise<Exchange> =>
  guardedPost({ url, headers, body: '{"a":"ü"}', timeoutMs, policy: under });

export const DEVELOPMENT = { loopback: true };
export const urlOf = (server: Listening): string => `http://127.0.0.1:${server.port}/hook?a=b`;

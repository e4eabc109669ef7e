// Error answers on a bare response or socket: what the webhook door and the listener send before Fastify is asked.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

import { errorBody } from "../base/errors.ts";
import type { PublicError } from "../base/errors.ts";

/** Larger bodies are refused on every route: Stripe's largest events have a few hundred KiB. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** How much of a refused body is still taken off the wire, unread: a connection that is reset loses its answer. */
const LINGER_BYTES = 8 * MAX_BODY_BYTES;
const LINGER_MS = 1000;

export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers["content-length"] ?? 0);
}

/** Answers with the error. Does nothing when an answer has begun, or nobody is there to take it. */
export function refuse(
  response: ServerResponse,
  error: PublicError,
  requestId: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(errorBody(error, requestId)));
  response.writeHead(error.status, { ...headersOf(error, requestId, body.length), ...headers });
  response.end(body);
}

/** Answers at once, and closes the connection when the body has ended, or too much or too long comes after it. */
export function refuseAndClose(
  request: IncomingMessage,
  response: ServerResponse,
  error: PublicError,
  requestId: string,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(errorBody(error, requestId)));
  response.writeHead(error.status, { ...headersOf(error, requestId, body.length), connection: "close" });
  response.write(body);
  let left = LINGER_BYTES;
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) finish();
  });
  request.on("end", finish);
  request.on("close", finish);
}

/** For a request that could not be parsed: there is no response object, only the socket. */
export function refuseOnSocket(socket: Duplex, error: PublicError, requestId: string): void {
  const body = JSON.stringify(errorBody(error, requestId));
  const headers = { ...headersOf(error, requestId, Buffer.byteLength(body)), connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ""}\r\n${lines.join("")}\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

function headersOf(error: PublicError, requestId: string, length: number): Record<string, string | number> {
  return {
    "content-type": "application/json; charset=utf-8",
    "content-length": length,
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    ...(error.retryAfter === undefined ? {} : { "retry-after": error.retryAfter }),
  };
}

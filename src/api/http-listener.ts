// The HTTP server itself: its limits, what is refused before any route is asked, and the webhooks' way past the router.
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { publicError } from "../base/errors.ts";
import type { ErrorCode } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { declaredLength, MAX_BODY_BYTES, refuse, refuseAndClose, refuseOnSocket } from "./refusal.ts";
import type { ListenerLimits } from "./route.ts";
import { isWebhookAddress } from "./webhook-door.ts";
import type { WebhookDoor } from "./webhook-door.ts";

/** Load balancers keep connections for 60 s: ours must last longer, or they meet one that has just closed. */
export const LIMITS: ListenerLimits = { request: 30_000, headers: 10_000, check: 2000, keepAlive: 75_000 };

export interface ListenerOptions {
  limits: ListenerLimits;
  door: WebhookDoor;
  /** Fastify, for everything that is no webhook. */
  router: RequestListener;
}

export function httpListener({ limits, door, router }: ListenerOptions): Server {
  const server = createServer({
    requestTimeout: limits.request,
    headersTimeout: limits.headers,
    connectionsCheckingInterval: limits.check,
    keepAliveTimeout: limits.keepAlive,
    // Checked below, so that its refusal has the shape of all others.
    requireHostHeader: false,
  });
  const dispatch = (request: IncomingMessage, response: ServerResponse): void => {
    if (isWebhookAddress(request.url ?? "")) door(request, response);
    else if (request.httpVersion === "1.1" && request.headers.host === undefined) {
      refuse(response, publicError("invalid_request", { message: "Send a Host header." }), newId("req"));
    } else if (declaredLength(request) > MAX_BODY_BYTES) {
      refuseAndClose(request, response, publicError("body_too_large"), newId("req"));
    } else router(request, response);
  };
  server.on("request", dispatch);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (declaredLength(request) <= MAX_BODY_BYTES) response.writeContinue();
    dispatch(request, response);
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    const message = "Send no Expect header, or `Expect: 100-continue`.";
    refuse(response, publicError("invalid_request", { message }), newId("req"), { connection: "close" });
  });
  return server;
}

/** By Node's code of what went wrong on the connection; anything else is not HTTP. */
const CODES: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Answers what could not be parsed, or did not arrive in time. */
export function clientErrorAnswer(log: Log): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  const answered = new WeakSet<Duplex>();
  return (error, socket) => {
    // What follows on a connection that we are closing is noise.
    if (answered.has(socket)) return;
    answered.add(socket);
    if (error.code === "ECONNRESET" || !socket.writable || answerHasBegun(socket)) {
      socket.destroy();
      return;
    }
    const code = CODES[error.code ?? ""] ?? "invalid_request";
    const refusal = publicError(
      code,
      code === "invalid_request" ? { message: "This is not a valid HTTP/1.1 request." } : {},
    );
    const requestId = newId("req");
    log.debug("a request could not be read", { request_id: requestId, code, status: refusal.status });
    refuseOnSocket(socket, refusal, requestId);
  };
}

/** Node keeps the response that a connection is writing in this field; a second answer would corrupt the first. */
function answerHasBegun(socket: Duplex): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  return response?.headersSent === true;
}

// The door for Stripe's webhooks: raw bytes to the receiver, outside Fastify (measured 26.6 k/s against 17.3 k/s).
import type { IncomingMessage, ServerResponse } from "node:http";

import { asPublicError, publicError } from "../base/errors.ts";
import type { PublicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { bodyCollector } from "./body-collector.ts";
import type { ApiDependencies } from "./route.ts";
import { declaredLength, MAX_BODY_BYTES, refuse, refuseAndClose } from "./refusal.ts";

/** One receiver, three addresses: the seeds name all of them. */
export const WEBHOOK_PATHS = ["/stripe/webhook/", "/account/stripe-webhook/", "/api/webhooks/stripe/"] as const;

const ADDRESSES: ReadonlySet<string> = new Set(WEBHOOK_PATHS.flatMap((path) => [path, path.slice(0, -1)]));
const SUCCESS = '{"status":"success"}';
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export type WebhookDoor = (request: IncomingMessage, response: ServerResponse) => void;

export function isWebhookAddress(url: string): boolean {
  const query = url.indexOf("?");
  return ADDRESSES.has(query === -1 ? url : url.slice(0, query));
}

/** Without the query, with the slash at its end. */
function addressOf(url: string): string {
  return WEBHOOK_PATHS.find((path) => url.startsWith(path.slice(0, -1))) ?? "";
}

type DoorDependencies = Pick<
  ApiDependencies,
  "receiver" | "stopping" | "move" | "log" | "refused" | "maxCollectingBytes"
>;

/** Answers 200 when the event is on disk, and nothing else before. Never throws. */
export function webhookDoor(deps: DoorDependencies): WebhookDoor {
  const collect = bodyCollector(deps.maxCollectingBytes);
  return (request, response) => {
    const requestId = newId("req");
    const refusal = refusalOf(request, deps.stopping()) ?? deps.move?.refusing();
    if (refusal !== undefined) {
      tell(deps, refusal, requestId);
      if (refusal.code === "body_too_large") refuseAndClose(request, response, refusal, requestId);
      else refuse(response, refusal, requestId, refusalHeaders(refusal));
      return;
    }
    collect(request, (collected) => {
      if (typeof collected !== "string") {
        void receive(deps, request, response, collected, requestId);
        return;
      }
      const refused = publicError(collected === "overloaded" ? "overloaded" : "body_too_large");
      tell(deps, refused, requestId);
      refuseAndClose(request, response, refused, requestId);
    });
  };
}

/** What can be said before the body is read. */
function refusalOf(request: IncomingMessage, stopping: boolean): PublicError | undefined {
  if (request.method !== "POST") return publicError("method_not_allowed");
  if (stopping) return publicError("stopping");
  const { "content-type": type, "content-encoding": encoding } = request.headers;
  // Without a content type the signature still tells what it is; with another one, something on the way has changed it.
  if (type !== undefined && !isJson(type)) return publicError("unsupported_media_type");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return publicError("unsupported_media_type", {
      message: "Send the body as it was signed, without Content-Encoding.",
    });
  }
  return declaredLength(request) > MAX_BODY_BYTES ? publicError("body_too_large") : undefined;
}

function isJson(contentType: string): boolean {
  const end = contentType.indexOf(";");
  const type = end === -1 ? contentType : contentType.slice(0, end);
  return type === "application/json" || type.trim().toLowerCase() === "application/json";
}

function refusalHeaders(refusal: PublicError): Record<string, string> {
  if (refusal.code === "method_not_allowed") return { allow: "POST" };
  return refusal.code === "stopping" ? { connection: "close" } : {};
}

async function receive(
  deps: DoorDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  requestId: string,
): Promise<void> {
  try {
    await deps.receiver.receive({
      body,
      signature: request.headers["stripe-signature"],
      fromLoopback: fromLoopback(request),
      address: addressOf(request.url ?? ""),
    });
  } catch (thrown) {
    const error = asPublicError(thrown);
    tell(deps, error, requestId);
    refuse(response, error, requestId, refusalHeaders(error));
    return;
  }
  if (response.destroyed) return;
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": SUCCESS.length,
    "x-request-id": requestId,
    // This answer is the last on its connection: the process is stopping.
    ...(deps.stopping() ? { connection: "close" } : {}),
  });
  // Latin-1, so that head and body go out in one write.
  response.end(SUCCESS, "latin1");
}

/** What a proxy on this machine adds, and what a browser adds for any web page that is open on it. */
const SENT_FOR_ANOTHER = [
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via", "cf-connecting-ip"],
  ...["origin", "sec-fetch-site"],
];

/** Sent by a program on this machine for itself, as far as that can be told: a tunnel may say nothing of whom it serves. */
export function fromLoopback({ socket, headers }: IncomingMessage): boolean {
  return LOOPBACK.test(socket.remoteAddress ?? "") && SENT_FOR_ANOTHER.every((name) => headers[name] === undefined);
}

function tell(deps: DoorDependencies, refusal: PublicError, requestId: string): void {
  deps.refused?.(refusal.code);
  deps.log.unit("event.received", {
    request_id: requestId,
    outcome: "refused",
    code: refusal.code,
    status: refusal.status,
    ...(refusal.cause === undefined ? {} : { error: refusal.cause }),
  });
}

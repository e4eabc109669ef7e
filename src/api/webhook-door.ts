// The door for Stripe's webhooks: raw bytes to the receiver, outside Fastify (measured 26.6 k/s against 17.3 k/s).
import type { IncomingMessage, ServerResponse } from "node:http";

import { asPublicError, publicError } from "../base/errors.ts";
import type { PublicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
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

type DoorDependencies = Pick<ApiDependencies, "receiver" | "stopping" | "log" | "refused">;

/** Answers 200 when the event is on disk, and nothing else before. Never throws. */
export function webhookDoor(deps: DoorDependencies): WebhookDoor {
  return (request, response) => {
    const requestId = newId("req");
    const refusal = refusalOf(request, deps.stopping());
    if (refusal !== undefined) {
      tell(deps, refusal, requestId);
      if (refusal.code === "body_too_large") refuseAndClose(request, response, refusal, requestId);
      else refuse(response, refusal, requestId, refusalHeaders(refusal));
      return;
    }
    collect(request, (body) => {
      if (body === undefined) {
        const tooLarge = publicError("body_too_large");
        tell(deps, tooLarge, requestId);
        refuseAndClose(request, response, tooLarge, requestId);
      } else void receive(deps, request, response, body, requestId);
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

/** Calls back once: with the whole body, or with undefined when it is too large. Not at all when it breaks off. */
function collect(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
      return;
    }
    request.off("data", take);
    request.off("end", end);
    done(undefined);
  };
  const end = (): void => {
    const [first] = chunks;
    done(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size));
  };
  request.on("data", take);
  request.on("end", end);
  // The sender is gone: there is nobody to answer, and what came is nothing.
  request.on("error", () => undefined);
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

/** Sent from this machine, and not handed on by a proxy that runs on it. */
export function fromLoopback(request: IncomingMessage): boolean {
  const { "x-forwarded-for": forwardedFor, "x-real-ip": realIp, forwarded } = request.headers;
  return (
    LOOPBACK.test(request.socket.remoteAddress ?? "") &&
    forwardedFor === undefined &&
    realIp === undefined &&
    forwarded === undefined
  );
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

// Who may call: pages of other sites may not reach the sandbox by a name of theirs, and its control is for this machine.
import { isIP } from "node:net";
import type { IncomingMessage } from "node:http";

import { StripeFailure } from "../core/errors.ts";

const LOOPBACK = /^(::1|::ffff:127\.\d+\.\d+\.\d+|127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** Names that no site on the internet has: of this machine, of a container, of a local network. */
const LOCAL_NAME = /^[^.]*$|\.(localhost|local|localdomain|internal|test|lan|home\.arpa)$/i;
/** A proxy's: then the caller is somebody behind it. */
const FORWARDING = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];

/**
 * A site may point its own name at 127.0.0.1, and its page then calls the sandbox as if it were its own server. Who
 * listens on other addresses than this machine's may have any name.
 * @throws StripeFailure 403
 */
export function checkHost(request: IncomingMessage): void {
  if (!LOOPBACK.test(request.socket.localAddress ?? "")) return;
  const name = hostOf(request);
  if (LOCAL_NAME.test(name) || isIP(name.replaceAll(/[[\]]/g, "")) > 0) return;
  throw forbidden(
    "On 127.0.0.1 the sandbox answers to names of this machine alone: call it at http://127.0.0.1 or http://localhost.",
  );
}

/**
 * The control endpoints turn the sandbox's knobs: from this machine alone, through no proxy, and for no page but those of
 * the `origins` that were let in.
 * @throws StripeFailure 403
 */
export function checkNear(request: IncomingMessage, origins: ReadonlySet<string>): void {
  const { headers, socket } = request;
  const isNear = LOOPBACK.test(socket.remoteAddress ?? "") && LOOPBACK_NAME.test(hostOf(request));
  const isOurs = headers.origin === undefined || origins.has(headers.origin);
  if (isNear && isOurs && FORWARDING.every((name) => headers[name] === undefined)) return;
  throw forbidden("The sandbox's control endpoints answer only to programs on its own machine.");
}

/** Without the port. */
const hostOf = ({ headers }: IncomingMessage): string => (headers.host ?? "").replace(/:\d+$/, "");

function forbidden(message: string): StripeFailure {
  return new StripeFailure(403, { type: "invalid_request_error", message });
}

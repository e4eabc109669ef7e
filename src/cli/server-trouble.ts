// Why a server gave no answer, or only half of one: a sentence that says what happened and what to do. Pure.
import { scrub } from "../base/log.ts";
import { CommandFailure, EXIT, failed } from "./command-failure.ts";

/** An answer began and did not end. What it tells of may be done all the same. */
export class BrokenAnswer extends CommandFailure {
  constructor(message: string, cause: unknown) {
    super({ error: "Server unreachable", code: "server_unreachable", message }, EXIT.failed, cause);
  }
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH|^INVALID_(CA|PURPOSE)$|PATH_LENGTH_EXCEEDED/;
const TOO_SLOW = /^(TimeoutError|UND_ERR_(HEADERS|BODY)_TIMEOUT)$/;
const LOOK = "look at what is there before you run this again";

/** By Node's code, or its words where there is none: the first that fits. */
const SENTENCES: readonly (readonly [RegExp, (url: string, why: string) => string])[] = [
  [
    /^(ECONNREFUSED|ENOTFOUND)$/,
    (url) => `No server answers at ${url}: start it with \`billhook serve\`, or give its address with --url.`,
  ],
  [/^unexpected redirect$/, (url) => `${url} redirects: give the address it redirects to with --url.`],
  [
    CERTIFICATE,
    (url, why) =>
      `The certificate of ${url} is refused (${why}): give the address that it was made for, or name its authority's file in NODE_EXTRA_CA_CERTS.`,
  ],
  [/^(ERR_SSL_|EPROTO$)/, (url, why) => `${url} speaks no TLS as we do (${why}): give it as http:// if it has none.`],
  [TOO_SLOW, (url) => `${url} did not answer in time; it may still be working: ${LOOK}.`],
  [
    /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/,
    (url, why) => `${url} cannot be reached from here (${why}): check the address, and the network on the way to it.`,
  ],
  [
    /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/,
    (url, why) => `${url} closed the connection before it answered (${why}); it may have done its work: ${LOOK}.`,
  ],
  // Fetch has a list of ports that belong to other protocols.
  [
    /^bad port$/,
    (url) => `No server answers at ${url}, a port that fetch never asks: let it listen on another PORT, or give --url.`,
  ],
];

/** What fetch threw. */
export function unanswered(url: string, error: unknown): CommandFailure {
  const why = reasonOf(error);
  const sentence = SENTENCES.find(([fits]) => fits.test(why))?.[1](url, why);
  const message = sentence ?? `${url} could not be asked (${why}): check its address (--url, BILLHOOK_URL).`;
  return failed("server_unreachable", "Server unreachable", message, error);
}

/** What reading an answer threw. */
export function brokenAnswer(url: string, error: unknown): BrokenAnswer {
  const happened = TOO_SLOW.test(reasonOf(error))
    ? `${url} did not end its answer in time`
    : `The connection to ${url} broke before the answer ended`;
  return new BrokenAnswer(`${happened}: it may have done its work, or still be working; ${LOOK}.`, error);
}

/** An answer's bytes; throws a BrokenAnswer where they break off. */
export async function* unbroken(url: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw brokenAnswer(url, error);
  }
}

/** An answer's lines until they end or break off: what they have told holds all the same. */
export async function* untilBroken(
  lines: AsyncIterable<unknown>,
  onBreak: (broken: BrokenAnswer) => void,
): AsyncIterable<unknown> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof BrokenAnswer)) throw error;
    onBreak(error);
  }
}

/** Fetch hides the socket's error in `cause`, and those of several addresses in a list. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  if (inner instanceof Error) return reasonOf(inner);
  return ["Error", "TypeError"].includes(error.name) ? scrub(error.message) : error.name;
}

// One request and what is read of its answer, over undici's dispatch: a stream and a signal for each cost as much again.
import { isAscii } from "node:buffer";

import { Client, type Dispatcher, type Pool } from "undici";

import { storableText } from "../base/text.ts";
import { deadline, type Endable } from "./deadlines.ts";

export interface ExchangeRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
  /** From now to the last byte that is read. */
  timeoutMs: number;
  /** The connection is not kept for another post. */
  close?: boolean;
  /** Ends all exchanges that were begun with it. */
  signal?: AbortSignal | undefined;
}

export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  /** At most KEPT_BYTES, as PostgreSQL can store it. */
  body: string;
}

export const READ_BYTES = 64 * 1024;
export const KEPT_BYTES = 16 * 1024;

/** timeout: its time was over · stopped: its signal came */
export class EndedExchange extends Error {
  override readonly name = "EndedExchange";
  readonly reason: "timeout" | "stopped";

  constructor(reason: EndedExchange["reason"]) {
    super(`the exchange was ended: ${reason}`);
    this.reason = reason;
  }
}

/**
 * A connection that was kept for the next post ended before it was answered at all: a receiver may close one at any time
 * (RFC 9112, 9.3.1), so that this says nothing of it, and nothing of whether it got the post.
 */
export class KeptConnectionEnded extends Error {
  override readonly name = "KeptConnectionEnded";

  constructor(cause: Error) {
    super("a kept connection ended before the answer", { cause });
  }
}

/** One connection of a pool, and another one when that has ended: a post learns whether it is the first on its own. */
export class KeptClient extends Client {
  #isNew = true;

  constructor(origin: URL, options: Client.Options) {
    super(origin, options);
    this.on("connect", () => {
      this.#isNew = true;
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof Reading) handler.client = this;
    return super.dispatch(options, handler);
  }

  /** Asked when a post is written, not before: until then undici may have opened another connection. */
  takeNew(): boolean {
    const wasNew = this.#isNew;
    this.#isNew = false;
    return wasNew;
  }
}

/**
 * Posts, and reads the answer to its end, or to READ_BYTES, where the connection is cut off. Rejects with EndedExchange,
 * KeptConnectionEnded, and with what undici or the connector say. One that is ended while its connection opens ends now, and is never sent.
 */
export function exchange(pool: Pool, request: ExchangeRequest): Promise<Answer> {
  const { path, headers, body, timeoutMs, close = false, signal } = request;
  return new Promise((resolve, reject) => {
    const line = deadline(timeoutMs);
    const together = signal === undefined ? undefined : endedBy(signal);
    const one = new Reading((outcome) => {
      line.delete(one);
      together?.delete(one);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    });
    line.add(one);
    together?.add(one);
    if (signal?.aborted === true) one.end("stopped");
    else pool.dispatch({ method: "POST", path, headers, body, ...(close ? { reset: true } : {}) }, one);
  });
}

const bySignal = new WeakMap<AbortSignal, Set<Reading>>();

/** One listener for all: taking one of 256 off a signal again looks at each. */
function endedBy(signal: AbortSignal): Set<Reading> {
  const known = bySignal.get(signal);
  if (known !== undefined) return known;
  const all = new Set<Reading>();
  bySignal.set(signal, all);
  signal.addEventListener("abort", () => {
    for (const one of all) one.end("stopped");
  });
  return all;
}

/** How a connection ends that the other side has closed; undici's own, and the system's. */
const CONNECTION_ENDED: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

class Reading implements Dispatcher.DispatchHandler, Endable {
  client: KeptClient | undefined;
  /** It went out on a connection that another post had used before. */
  #isOnKept = false;
  #hasAnswer = false;
  #settle: ((outcome: Answer | Error) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** Why it was ended before it began. */
  #ended: EndedExchange | undefined;
  #statusCode = 0;
  #headers: Record<string, string> = {};
  readonly #kept: Buffer[] = [];
  #length = 0;
  #read = 0;

  constructor(settle: (outcome: Answer | Error) => void) {
    this.#settle = settle;
  }

  expire(): void {
    this.end("timeout");
  }

  end(reason: EndedExchange["reason"]): void {
    this.#ended ??= new EndedExchange(reason);
    this.#end(this.#ended);
    this.#controller?.abort(this.#ended);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#isOnKept = this.client?.takeNew() === false;
    if (this.#ended !== undefined) controller.abort(this.#ended);
  }

  /** Its first bytes have come. */
  onResponseStarted(): void {
    this.#hasAnswer = true;
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // 102 to 199 come before the answer. At a 100 or 101 that it did not ask for undici ends the connection: docs/events.md says so.
    if (statusCode < 200) return;
    this.#statusCode = statusCode;
    this.#headers = plainHeaders(headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#settle === undefined) return;
    this.#read += piece.length;
    const part = piece.subarray(0, KEPT_BYTES - this.#length);
    this.#length += part.length;
    if (part.length > 0) this.#kept.push(part);
    if (this.#read < READ_BYTES) return;
    this.#answer();
    controller.abort(new Error("enough was read"));
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_: unknown, error: Error): void {
    const isOfConnection = "code" in error && CONNECTION_ENDED.has(error.code);
    this.#end(this.#isOnKept && !this.#hasAnswer && isOfConnection ? new KeptConnectionEnded(error) : error);
  }

  #answer(): void {
    if (this.#settle === undefined) return;
    this.#end({ statusCode: this.#statusCode, headers: this.#headers, body: keptText(this.#kept) });
  }

  #end(outcome: Answer | Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}

/** A character that the limit cuts is left out; what is no UTF-8 becomes U+FFFD, which is longer than what it replaces. */
function keptText(pieces: readonly Buffer[]): string {
  const [first] = pieces;
  if (first === undefined) return "";
  const bytes = pieces.length === 1 ? first : Buffer.concat(pieces);
  // Most answers: without a decoder, which is made for each text.
  if (isAscii(bytes) && !bytes.includes(0)) return bytes.toString("latin1");
  const text = storableText(new TextDecoder().decode(bytes, { stream: true }));
  const encoded = Buffer.from(text);
  if (encoded.length <= KEPT_BYTES) return text;
  return new TextDecoder().decode(encoded.subarray(0, KEPT_BYTES), { stream: true });
}

function plainHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) found[name] = storableText(Array.isArray(value) ? value.join(", ") : value);
  }
  return found;
}

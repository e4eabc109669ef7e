// Following a payment by its status_url: as a stream, by long polls where no stream comes through, and back after an outage.
import { createParser } from "eventsource-parser";

import type { components } from "../generated/api.ts";
import { BillhookError, refusalOf, unreachable } from "./billhook-error.ts";
import type { Tokens } from "./tokens.ts";

export type PaymentStatus = components["schemas"]["PaymentStatus"];

/**
 * idle: there is nothing to follow · pending: wait · action_required: the person must do something, such as confirm with
 * their bank · failed: it may be tried again · succeeded, expired, canceled: the end · offline: it cannot be asked;
 * `problem` says why
 */
export const PAYMENT_STATES = [
  "idle",
  "pending",
  "action_required",
  "succeeded",
  "failed",
  "expired",
  "canceled",
  "offline",
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

export interface PaymentProgress {
  state: PaymentState;
  /** The last answer, also while it is offline; null: there was none yet. */
  status: PaymentStatus | null;
  problem: BillhookError | null;
}

export interface FollowOptions {
  told: (progress: PaymentProgress) => void;
  /** On the page that Stripe's Checkout leads back to: Stripe is asked at once where no event has come. */
  returned?: boolean | undefined;
  /** For a status_url without a token: the client's. */
  tokens?: Tokens | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds, for tests. */
  times?: Partial<FollowTimes> | undefined;
}

export interface FollowTimes {
  /** For a stream's first bytes: longer, and something between gathers it. */
  firstBytes: number;
  /** Between two of a stream's bytes: the server's heartbeat is 15 s. */
  silence: number;
  /** How long the server lets a poll wait, in seconds. */
  wait: number;
  /** Between two tries, at first and at most. */
  shortest: number;
  longest: number;
}

const TIMES: FollowTimes = { firstBytes: 5000, silence: 25_000, wait: 25, shortest: 1000, longest: 30_000 };
/** After so many streams that broke, or ended with nothing said, it is asked by polls. */
const BROKEN_STREAMS = 2;

/** What a browser's page has, and a server has not. */
const SURROUNDINGS = globalThis as {
  location?: { href: string };
  addEventListener?: (type: "online", listener: () => void) => void;
  removeEventListener?: (type: "online", listener: () => void) => void;
};

const OVER: ReadonlySet<PaymentState> = new Set<PaymentState>(["succeeded", "failed", "expired", "canceled"]);

/** Nothing more is to come of it, unless it is tried again. */
export const isOver = (state: PaymentState): boolean => OVER.has(state);

/** Tells at once, at each change, and at the end; returns what ends it before. */
export function followPayment(
  statusUrl: string,
  { told, tokens, returned, fetch = globalThis.fetch, times }: FollowOptions,
): () => void {
  const controller = new AbortController();
  const url = new URL(statusUrl, SURROUNDINGS.location?.href);
  if (returned === true) url.searchParams.set("returned", "true");
  const watch: Watch = {
    url,
    fetch,
    tokens,
    times: { ...TIMES, ...times },
    signal: controller.signal,
    last: null,
    tell: (progress) => {
      if (!controller.signal.aborted) told(progress);
    },
  };
  void follow(watch);
  return () => {
    controller.abort();
  };
}

interface Watch {
  url: URL;
  fetch: typeof globalThis.fetch;
  tokens: Tokens | undefined;
  times: FollowTimes;
  signal: AbortSignal;
  last: PaymentStatus | null;
  tell: (progress: PaymentProgress) => void;
}

/** over: the end was told · again: nothing is wrong · no_stream: none comes through here */
type Outcome = "over" | "again" | "no_stream";

async function follow(watch: Watch): Promise<void> {
  const { times, signal } = watch;
  let streams = true;
  let [broken, failures, calm] = [0, 0, 0];
  for (;;) {
    const [before, started] = [watch.last?.updated_at, Date.now()];
    try {
      const outcome = await (streams ? streamed(watch) : polled(watch));
      if (outcome === "over") return;
      const isNew = watch.last?.updated_at !== before;
      failures = 0;
      if (streams) broken = isNew ? 0 : broken + 1;
      // A server that does not let us wait answers at once: then it is asked less and less often.
      calm = isNew || Date.now() - started > times.shortest ? 0 : calm + 1;
      if (outcome === "no_stream") streams = false;
      else await pause(watch, waitAfter(times, calm));
    } catch (thrown) {
      if (watch.signal.aborted) return;
      const problem = thrown instanceof BillhookError ? thrown : unreachable(thrown);
      watch.tell({ state: "offline", status: watch.last, problem });
      if (isRefusal(problem)) return;
      failures += 1;
      if (streams) broken += 1;
      await pause(watch, Math.max(waitAfter(times, failures), (problem.retryAfter ?? 0) * 1000));
    }
    if (signal.aborted) return;
    if (broken >= BROKEN_STREAMS) streams = false;
  }
}

/** Asking again would not help: a wrong address, or a token that has ended. */
const isRefusal = ({ status }: BillhookError): boolean =>
  status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;

async function streamed(watch: Watch): Promise<Outcome> {
  const alarm = alarmClock(watch.signal);
  try {
    alarm.ringIn(watch.times.firstBytes);
    const response = await ask(watch, watch.url, "text/event-stream", alarm.signal);
    if (response.status === 204) return "over";
    if (response.body === null || response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
      return tellAnswer(watch, await bodyOf(response)) ? "over" : "no_stream";
    }
    const seen = { final: false };
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (tellAnswer(watch, JSON.parse(data)) && event === "final") seen.final = true;
      },
    });
    const [reader, decoder] = [response.body.getReader(), new TextDecoder()];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "again";
      alarm.ringIn(watch.times.silence);
      parser.feed(decoder.decode(value, { stream: true }));
      if (seen.final) return "over";
    }
  } catch (error) {
    // Held back on its way: polls come through.
    if (alarm.rang()) return "no_stream";
    throw error;
  } finally {
    alarm.stop();
  }
}

async function polled(watch: Watch): Promise<Outcome> {
  const { wait, silence } = watch.times;
  const url = new URL(watch.url);
  url.searchParams.set("wait", String(wait));
  const alarm = alarmClock(watch.signal);
  try {
    alarm.ringIn(wait * 1000 + silence);
    const response = await ask(watch, url, "application/json", alarm.signal);
    return tellAnswer(watch, await bodyOf(response)) ? "over" : "again";
  } finally {
    alarm.stop();
  }
}

/** Throws BillhookError for what is not 2xx. */
async function ask(
  { fetch, tokens, url: { searchParams } }: Watch,
  url: URL,
  accept: string,
  signal: AbortSignal,
): Promise<Response> {
  // With the token in the address no other is needed, and a browser need not ask the server's leave first.
  const own = searchParams.has("token") ? undefined : tokens;
  const send = (token: string | undefined): Promise<Response> =>
    fetch(url, {
      signal,
      cache: "no-store",
      headers: { accept, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  const token = await own?.current();
  let response = await send(token);
  if (response.status === 401 && own !== undefined) {
    const fresh = await own.renewed(token);
    if (fresh !== undefined) response = await send(fresh);
  }
  if (!response.ok) throw refusalOf(response, await bodyOf(response));
  return response;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, say: what reads it tells that it is not ours.
    return text;
  }
}

/** True: it is the end. Throws BillhookError for what is no status. */
function tellAnswer(watch: Watch, answer: unknown): boolean {
  if (!isStatus(answer)) throw refusalOf({ status: 200, headers: new Headers() }, answer);
  watch.last = answer;
  watch.tell({ state: answer.status, status: answer, problem: null });
  return isOver(answer.status);
}

function isStatus(answer: unknown): answer is PaymentStatus {
  const status = typeof answer === "object" && answer !== null && "status" in answer ? answer.status : undefined;
  return (PAYMENT_STATES as readonly unknown[]).includes(status);
}

const waitAfter = ({ shortest, longest }: FollowTimes, times: number): number =>
  Math.min(longest, shortest * 2 ** Math.max(0, times - 1)) * (0.75 + Math.random() / 2);

/** Ends early when the machine is online again, and when it is no longer followed. */
function pause({ signal }: Watch, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      SURROUNDINGS.removeEventListener?.("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    SURROUNDINGS.addEventListener?.("online", end);
    signal.addEventListener("abort", end);
  });
}

interface Alarm {
  signal: AbortSignal;
  /** In place of when it would have rung. */
  ringIn(milliseconds: number): void;
  rang(): boolean;
  stop(): void;
}

function alarmClock(outer: AbortSignal): Alarm {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hasRung = false;
  const stop = (): void => {
    clearTimeout(timer);
    controller.abort();
    outer.removeEventListener("abort", stop);
  };
  outer.addEventListener("abort", stop);
  return {
    signal: controller.signal,
    ringIn: (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hasRung = true;
        controller.abort();
      }, milliseconds);
    },
    rang: () => hasRung,
    stop,
  };
}

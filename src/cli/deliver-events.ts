// Sends signed events to a server as Stripe would: one POST each, several at a time, at a rate.
import { createHmac } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import type { Secret } from "../base/secret.ts";
import type { WebhookSecret } from "../config.ts";
import type { EventToSend } from "./event-files.ts";
import { brokenAnswer, unanswered } from "./server-trouble.ts";

export interface SendOptions {
  url: string;
  /** Undefined: unsigned. */
  secretFor: (event: EventToSend) => Secret | undefined;
  concurrency: number;
  /** Events per second at most; undefined: as fast as the answers come. */
  rate: number | undefined;
  clock: Clock;
  onAnswer: (answer: SentEvent) => void;
}

export interface SentEvent {
  id: string;
  type: string;
  status: number;
  /** Milliseconds. */
  duration: number;
  /** What the server said, where it was not 2xx. */
  reason: string | undefined;
}

/** The longest that one answer is waited for. */
const ANSWER_MS = 30_000;

/** Sends them in this order, `concurrency` at a time. Throws when nobody answers: what is left is then not sent. */
export async function sendEvents(events: readonly EventToSend[], options: SendOptions): Promise<void> {
  const started = options.clock.monotonic();
  const queue = events.entries();
  let stopped = false;
  const sender = async (): Promise<void> => {
    for (const [index, event] of queue) {
      if (stopped) return;
      if (options.rate !== undefined) await waitUntil(options.clock, started + (index * 1000) / options.rate);
      try {
        options.onAnswer(await sendEvent(event, options));
      } catch (error) {
        stopped = true;
        throw error;
      }
    }
  };
  const senders = Array.from({ length: Math.min(options.concurrency, events.length) }, sender);
  const broken = (await Promise.allSettled(senders)).find((outcome) => outcome.status === "rejected");
  if (broken !== undefined) throw broken.reason;
}

async function sendEvent(event: EventToSend, { url, secretFor, clock }: SendOptions): Promise<SentEvent> {
  const secret = secretFor(event);
  const started = clock.monotonic();
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json; charset=utf-8",
      "user-agent": "billhook-send",
      ...(secret === undefined ? {} : { "stripe-signature": signature(event.body, secret, clock) }),
    },
    body: event.body,
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw unanswered(url, error);
  });
  const text = await answer.text().catch((error: unknown) => {
    throw brokenAnswer(url, error);
  });
  const duration = Math.round(clock.monotonic() - started);
  return {
    id: event.id,
    type: event.type,
    status: answer.status,
    duration,
    reason: answer.ok ? undefined : reasonOf(text),
  };
}

/** Stripe's own: the HMAC of "time.body", its key the whole text of the secret. */
export function signature(body: string, secret: Secret, clock: Clock): string {
  const time = Math.floor(clock.now() / 1000);
  const digest = createHmac("sha256", secret.reveal()).update(`${time}.`).update(body).digest("hex");
  return `t=${time},v1=${digest}`;
}

function reasonOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "message" in body) return String(body.message);
  } catch {
    // A proxy's page, perhaps: its beginning says the most.
  }
  return text.slice(0, 200);
}

async function waitUntil(clock: Clock, time: number): Promise<void> {
  const wait = time - clock.monotonic();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}

const CONNECT = "STRIPE_CONNECT_WEBHOOK_SECRET";

/** The secret with which Stripe would sign: an event of a connected account comes to the Connect endpoint. */
export function secretOf(event: EventToSend, secrets: readonly WebhookSecret[]): Secret | undefined {
  const connect = event.account !== "";
  const fitting = secrets.find(({ variable }) => (variable === CONNECT) === connect) ?? secrets[0];
  return fitting?.secret;
}

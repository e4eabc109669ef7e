// Sending what is queued: claims mails that are due, sends each, and writes down what came of it.
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/trace.ts";
import type { Database } from "../db/database.ts";
import type { Found } from "../work/claim-loop.ts";
import {
  type AttemptEnd,
  type ClaimedMail,
  claimMails,
  dropLateMails,
  endMail,
  keepMails,
  type MailStatus,
  putOffMail,
} from "./mail-tables.ts";
import type { MailSender, SendAnswer } from "./smtp.ts";
import { renderStored } from "./templates.ts";

export interface SendOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** undefined: there is no mail server; mails are kept and read here. */
  sender: MailSender | undefined;
  /** An attempt takes at most two thirds of it, so that nobody else begins one meanwhile. */
  leaseSeconds: number;
  maxAttempts: number;
  newLease: () => string;
  metrics: { attempted: (outcome: SendAnswer["outcome"]) => void };
}

/** Attempts at 0 s, 30 s, 2 min, 6, 20, 60 min, and then every two hours: twelve span half a day. */
export const MAIL_ATTEMPTS = 12;
const BACKOFF = { first: 30_000, factor: 3, max: 2 * 3_600_000, jitter: 0.2 };
/** Each mail is a connection of its own, and mail servers allow few. */
const AT_ONCE = 5;
const ENDED_AT_ONCE = 500;
const LONGEST_ATTEMPT = 20_000;

/**
 * Sends what is due, a few at a time. A mail goes out once as far as SMTP allows: the attempt is written down and committed
 * before it starts, and its outcome after the server's answer. A crash between that answer and our commit sends the mail
 * again when the lease ends, under the same Message-ID.
 */
export async function sendOnce(options: SendOptions): Promise<Found> {
  const { database, sender, leaseSeconds } = options;
  if (sender === undefined) return foundOf(await keepMails(database, ENDED_AT_ONCE), ENDED_AT_ONCE);
  const lease = options.newLease();
  const { dropped, claimed } = await database.transaction(async (tx) => ({
    dropped: await dropLateMails(tx, ENDED_AT_ONCE),
    claimed: await claimMails(tx, lease, leaseSeconds, AT_ONCE),
  }));
  if (dropped > 0) options.log.warn("mails were dropped: they were due too long ago", { count: dropped });
  const results = await Promise.allSettled(claimed.map((mail) => sendClaimed(options, sender, mail, lease)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return dropped > 0 ? "full" : foundOf(claimed.length, AT_ONCE);
}

function foundOf(count: number, most: number): Found {
  return count === 0 ? "none" : count < most ? "some" : "full";
}

async function sendClaimed(options: SendOptions, sender: MailSender, mail: ClaimedMail, lease: string): Promise<void> {
  const { clock, database, leaseSeconds } = options;
  const started = clock.monotonic();
  const limit = Math.min(LONGEST_ATTEMPT, (leaseSeconds * 2000) / 3);
  const answer = await traced("mail.send", { object: "mail", object_id: mail.id }, () => attempt(sender, mail, limit));
  const end: AttemptEnd = { outcome: answer.outcome, answer: answer.answer };
  const status = statusAfter(answer, mail.attempt, options.maxAttempts);
  const wait = status === "queued" ? backoff(mail.attempt, BACKOFF) : undefined;
  // The mail server is never waited for inside a transaction.
  const ours =
    status === "queued"
      ? await putOffMail(database, mail, lease, (wait ?? 0) / 1000, end)
      : await endMail(database, mail, lease, status, end);
  options.metrics.attempted(answer.outcome);
  options.log.unit("mail.attempted", {
    object: "mail",
    object_id: mail.id,
    tenant: mail.tenantId,
    // The template's name; the address and the server's words stay in the database.
    source: mail.template,
    attempt: mail.attempt,
    max_attempts: options.maxAttempts,
    outcome: ours ? status : "lease lost",
    code: answer.outcome === "sent" ? undefined : answer.code,
    status: answer.outcome === "sent" ? undefined : answer.status,
    retry_in_ms: wait,
    duration_ms: Math.round(clock.monotonic() - started),
  });
}

/** One attempt. A mail that this build cannot write is refused: waiting does not change it. */
async function attempt(sender: MailSender, mail: ClaimedMail, limit: number): Promise<SendAnswer> {
  let rendered: ReturnType<typeof renderStored>;
  try {
    rendered = renderStored(mail.template, mail.fields);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "the mail could not be written";
    return { outcome: "refused", code: "unwritable", status: undefined, answer: reason };
  }
  return sender({ ...rendered, id: mail.id, to: mail.to }, AbortSignal.timeout(limit));
}

function statusAfter(
  { outcome }: SendAnswer,
  attempt: number,
  maxAttempts: number,
): Extract<MailStatus, "sent" | "failed" | "queued"> {
  if (outcome === "sent") return "sent";
  return outcome === "refused" || attempt >= maxAttempts ? "failed" : "queued";
}

// Sending what is queued: claims mails that are due, sends each, and writes down what came of it.
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/trace.ts";
import type { Database } from "../db/database.ts";
import type { Found } from "../work/claim-loop.ts";
import { type MailChecks, stillTrue } from "./mail-checks.ts";
import type { MailSender, SendAnswer, SendFailure } from "./mail-sender.ts";
import {
  type AttemptEnd,
  type ClaimedMail,
  claimMails,
  dropLateMails,
  dropUnclaimed,
  dueChecks,
  endMail,
  keepMails,
  type MailStatus,
  putOffMail,
} from "./mail-tables.ts";
import { renderStored } from "./templates.ts";

export interface SendOptions {
  database: Database;
  clock: Clock;
  log: Log;
  /** undefined: there is no mail server; mails are kept and read here. */
  sender: MailSender | undefined;
  checks?: MailChecks;
  /** What the product is called in mails whose fields do not say. */
  product?: string | undefined;
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

/** No mail service asks for longer. */
const LONGEST_WAIT = 86_400;

/**
 * Sends what is due, a few at a time. A mail goes out once as far as SMTP and HTTP allow: the attempt is written down and
 * committed before it starts, and its outcome after the server's answer. A crash between that answer and our commit sends
 * the mail again when the lease ends, under the same Message-ID.
 */
export async function sendOnce(options: SendOptions): Promise<Found> {
  const { database, sender, leaseSeconds } = options;
  if (sender === undefined) return keepDue(options);
  const lease = options.newLease();
  const { dropped, claimed } = await database.transaction(async (tx) => ({
    dropped: await dropLateMails(tx, ENDED_AT_ONCE),
    claimed: await claimMails(tx, lease, leaseSeconds, AT_ONCE),
  }));
  if (dropped > 0) options.log.warn("mails were dropped: they were due too long ago", { count: dropped });
  const results = await Promise.allSettled(claimed.map((mail) => sendClaimed(options, sender, mail, lease)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  warnOfSettings(
    options.log,
    results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
  );
  return dropped > 0 ? "full" : foundOf(claimed.length, AT_ONCE);
}

function foundOf(count: number, most: number): Found {
  return count === 0 ? "none" : count < most ? "some" : "full";
}

/** Nobody is mailed, but what a stranger reads here is what would have been sent. */
async function keepDue({ database, checks = {}, log }: SendOptions): Promise<Found> {
  const holding: string[] = [];
  for (const { id, check } of await dueChecks(database, ENDED_AT_ONCE)) {
    const holds = await stillTrue(checks, database, check).catch((error: unknown) => {
      log.warn("a mail could not be checked: it is kept", { object: "mail", object_id: id, error });
      return true;
    });
    if (holds) holding.push(id);
    else await dropUnclaimed(database, id);
  }
  return foundOf(await keepMails(database, holding, ENDED_AT_ONCE), ENDED_AT_ONCE);
}

function warnOfSettings(log: Log, answers: readonly Attempted[]): void {
  const refused = answers.filter((answer) => answer.outcome === "retry" && answer.blameless === "settings");
  const [first] = refused;
  if (first?.outcome !== "retry") return;
  log.warn("mails wait: the mail service refuses our key or domain; correct the mail settings and restart", {
    count: refused.length,
    code: first.code,
    status: first.status,
  });
}

type Attempted = SendAnswer | { outcome: "dropped"; answer: string };

async function sendClaimed(
  options: SendOptions,
  sender: MailSender,
  mail: ClaimedMail,
  lease: string,
): Promise<Attempted> {
  const { clock, database, leaseSeconds } = options;
  const started = clock.monotonic();
  const limit = Math.min(LONGEST_ATTEMPT, (leaseSeconds * 2000) / 3);
  const answer = await traced("mail.send", { object: "mail", object_id: mail.id }, () =>
    attempt(options, sender, mail, limit),
  );
  const end: AttemptEnd = { outcome: answer.outcome, answer: answer.answer };
  const status = statusAfter(answer, mail.attempt - mail.attemptsBefore, options.maxAttempts);
  const wait = status === "queued" ? waitAfter(answer, mail.attempt - mail.attemptsBefore) : undefined;
  // The mail server is never waited for inside a transaction.
  const ours =
    status === "queued"
      ? await putOffMail(database, mail, lease, (wait ?? 0) / 1000, end)
      : await endMail(database, mail, lease, status, end);
  if (answer.outcome !== "dropped") options.metrics.attempted(answer.outcome);
  const failure = answer.outcome === "refused" || answer.outcome === "retry" ? answer : undefined;
  options.log.unit("mail.attempted", {
    object: "mail",
    object_id: mail.id,
    tenant: mail.tenantId,
    // The template's name; the address and the server's words stay in the database.
    source: mail.template,
    attempt: mail.attempt,
    max_attempts: options.maxAttempts,
    outcome: ours ? status : "lease lost",
    code: failure?.code,
    status: failure?.status,
    retry_in_ms: wait,
    duration_ms: Math.round(clock.monotonic() - started),
  });
  return answer;
}

/** One attempt. A mail that this build cannot write is refused: waiting does not change it. */
async function attempt(
  { database, checks = {}, product }: SendOptions,
  sender: MailSender,
  mail: ClaimedMail,
  limit: number,
): Promise<Attempted> {
  const failed = (outcome: SendFailure["outcome"], code: string, error: unknown): SendFailure => {
    const answer = error instanceof Error ? error.message : "the mail could not be written";
    return { outcome, code, status: undefined, answer };
  };
  if (mail.checkName !== null) {
    const check = { name: mail.checkName, reference: mail.checkReference ?? {} };
    try {
      if (!(await stillTrue(checks, database, check)))
        return { outcome: "dropped", answer: `not any more: ${check.name}` };
    } catch (error) {
      return failed("retry", "unchecked", error);
    }
  }
  let rendered: ReturnType<typeof renderStored>;
  try {
    rendered = renderStored(mail.template, mail.fields, product);
  } catch (error) {
    return failed("refused", "unwritable", error);
  }
  return sender({ ...rendered, id: mail.id, to: mail.to }, AbortSignal.timeout(limit));
}

function statusAfter(
  answer: Attempted,
  attempt: number,
  maxAttempts: number,
): Extract<MailStatus, "sent" | "failed" | "queued" | "dropped"> {
  if (answer.outcome === "sent" || answer.outcome === "dropped") return answer.outcome;
  if (answer.outcome === "refused") return "failed";
  return attempt >= maxAttempts && answer.blameless === undefined ? "failed" : "queued";
}

/** Milliseconds: our own pace, or longer when the server asks for it. */
function waitAfter(answer: Attempted, attempt: number): number {
  const asked = answer.outcome === "retry" ? (answer.after ?? 0) : 0;
  return Math.max(backoff(attempt, BACKOFF), Math.min(asked, LONGEST_WAIT) * 1000);
}

// Mails, their queue and their attempts. Tables: mails, mail_queue, mail_attempts
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { MailReference, WantedCheck } from "./mail-checks.ts";
import { hasOneTimeLink } from "./mail-fields.ts";

export const MAIL_STATUSES = ["queued", "sent", "failed", "dropped", "kept"] as const;
export type MailStatus = (typeof MAIL_STATUSES)[number];

/** Time-sortable, as every id of ours. */
export function newMailId(): string {
  return newId("mail");
}

export interface NewMail {
  id: string;
  tenantId: string | null;
  cause: string;
  template: string;
  to: string;
  /** JSON. */
  fields: string;
  /** Seconds after which it is no longer worth sending. */
  lateAfter: number;
  check: WantedCheck | undefined;
}

/** Returns whether the cause had no mail yet. */
export async function insertMail(tx: Queryable, mail: NewMail): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "insert_mail",
    text: INSERT,
    values: [
      ...[mail.id, mail.tenantId, mail.cause, mail.template, mail.to, mail.fields, mail.lateAfter],
      ...[mail.check?.name ?? null, mail.check === undefined ? null : JSON.stringify(mail.check.reference)],
    ],
  });
  return rowCount > 0;
}

export interface ClaimedMail {
  id: string;
  tenantId: string | null;
  template: string;
  to: string;
  fields: unknown;
  /** This attempt's number, from 1. */
  attempt: number;
  /** Of the attempts, those before an operator asked for another round. */
  attemptsBefore: number;
  checkName: string | null;
  checkReference: MailReference | null;
}

/** Claims mails that are due, oldest first, and writes down that an attempt begins. */
export async function claimMails(
  tx: Queryable,
  lease: string,
  leaseSeconds: number,
  limit: number,
): Promise<ClaimedMail[]> {
  return (await tx.query<ClaimedMail>({ text: CLAIM, values: [lease, leaseSeconds, limit] })).rows;
}

/** Ends those that are late. Returns how many. */
export async function dropLateMails(tx: Queryable, limit: number): Promise<number> {
  return (await tx.query({ text: DROP_LATE, values: [limit] })).rowCount;
}

/** Ends those that are due without sending them: they are read here. Returns how many. Of those with a check only `checked`. */
export async function keepMails(tx: Queryable, checked: readonly string[], limit: number): Promise<number> {
  return (await tx.query({ text: KEEP, values: [limit, [...checked]] })).rowCount;
}

/** Due mails that have a check, for keeping. */
export async function dueChecks(tx: Queryable, limit: number): Promise<{ id: string; check: WantedCheck }[]> {
  const { rows } = await tx.query<{ id: string; name: string; reference: MailReference }>({
    text: DUE_CHECKS,
    values: [limit],
  });
  return rows.map(({ id, name, reference }) => ({ id, check: { name, reference } }));
}

/** Ends a mail that was not claimed: it is no longer true. */
export async function dropUnclaimed(tx: Queryable, id: string): Promise<void> {
  await tx.query({ text: DROP_UNCLAIMED, values: [id] });
}

export interface AttemptEnd {
  outcome: "sent" | "refused" | "retry" | "dropped";
  /** The mail server's answer, or why there was none. */
  answer: string | null;
}

/**
 * Ends a mail after this attempt. A failed one keeps its fields, for another round, unless they hold a person's key. False
 * when the lease was lost: another worker has it.
 */
export async function endMail(
  tx: Queryable,
  mail: ClaimedMail,
  lease: string,
  status: "sent" | "failed" | "dropped",
  end: AttemptEnd,
): Promise<boolean> {
  const keeps = status === "failed" && !hasOneTimeLink(mail.template);
  const values = [mail.id, lease, mail.attempt, end.outcome, end.answer, status, keeps];
  return (await tx.query({ text: END, values })).rowCount > 0;
}

/** Puts a mail off after this attempt. False when the lease was lost. */
export async function putOffMail(
  tx: Queryable,
  mail: ClaimedMail,
  lease: string,
  delaySeconds: number,
  end: AttemptEnd,
): Promise<boolean> {
  const values = [mail.id, lease, mail.attempt, end.outcome, end.answer, delaySeconds];
  return (await tx.query({ text: PUT_OFF, values })).rowCount > 0;
}

/** Queues a failed or kept mail again, for another round of attempts. False when it is neither, or its fields are gone. */
export async function queueAgain(tx: Queryable, id: string, lateAfter: number): Promise<boolean> {
  return (await tx.query({ text: QUEUE_AGAIN, values: [id, lateAfter] })).rowCount > 0;
}

/** Deletes mails that ended this many days ago, and with them the addresses. Returns how many. */
export async function deleteOldMails(tx: Queryable, days: number, limit = 10_000): Promise<number> {
  return (await tx.query({ text: DELETE_OLD, values: [days, limit] })).rowCount;
}

const INSERT = `
  with mail as (
    insert into mails (id, tenant_id, cause, template, recipient, fields, check_name, check_reference)
    values ($1, $2, $3, $4, $5, $6::jsonb, $8, $9::jsonb)
    on conflict (cause) do nothing returning id
  )
  insert into mail_queue (mail_id, late_at) select id, now() + $7::int * interval '1 second' from mail`;

const CLAIM = `
  with due as (
    select mail_id from mail_queue where next_attempt_at <= now() order by next_attempt_at limit $3 for update skip locked
  ), claimed as (
    update mail_queue as queue
    set attempts = attempts + 1, lease = $1, next_attempt_at = now() + $2::int * interval '1 second'
    from due where queue.mail_id = due.mail_id
    returning queue.mail_id, queue.attempts, queue.attempts_before
  ), begun as (
    insert into mail_attempts (mail_id, attempt) select mail_id, attempts from claimed
  )
  select mails.id, mails.tenant_id as "tenantId", mails.template, mails.recipient as "to", mails.fields,
    mails.check_name as "checkName", mails.check_reference as "checkReference",
    claimed.attempts as attempt, claimed.attempts_before as "attemptsBefore"
  from claimed join mails on mails.id = claimed.mail_id order by mails.id`;

const DROP_LATE = `
  with late as (
    delete from mail_queue where mail_id in (
      select mail_id from mail_queue where next_attempt_at <= now() and late_at <= now()
      order by next_attempt_at limit $1 for update skip locked
    ) returning mail_id
  )
  update mails set status = 'dropped', dropped_because = 'late', ended_at = now(), fields = null
  from late where id = late.mail_id`;

const KEEP = `
  with kept as (
    delete from mail_queue where mail_id in (
      select mail_id from mail_queue join mails on mails.id = mail_id
      where next_attempt_at <= now() and (check_name is null or mail_id = any($2::text[]))
      order by next_attempt_at limit $1 for update of mail_queue skip locked
    ) returning mail_id
  )
  update mails set status = 'kept', ended_at = now() from kept where id = kept.mail_id`;

const DUE_CHECKS = `
  select mails.id, mails.check_name as name, mails.check_reference as reference
  from mail_queue join mails on mails.id = mail_id
  where next_attempt_at <= now() and check_name is not null order by next_attempt_at limit $1`;

const DROP_UNCLAIMED = `
  with gone as (delete from mail_queue where mail_id = $1 and next_attempt_at <= now() returning mail_id)
  update mails set status = 'dropped', dropped_because = 'no_longer_true', ended_at = now(), fields = null
  from gone where id = gone.mail_id`;

// Together in one statement: the mail, its attempt and its place in the queue never disagree.
const END = `
  with ended as (
    delete from mail_queue where mail_id = $1 and lease = $2 returning mail_id
  ), attempt as (
    update mail_attempts set outcome = $4, answer = $5 from ended where mail_attempts.mail_id = ended.mail_id and attempt = $3
  )
  update mails set status = $6, ended_at = now(), fields = case when $7::boolean then fields end,
    dropped_because = case when $6 = 'dropped' then 'no_longer_true' end
  from ended where id = ended.mail_id`;

const PUT_OFF = `
  with later as (
    update mail_queue set lease = null, next_attempt_at = now() + $6::float8 * interval '1 second'
    where mail_id = $1 and lease = $2 returning mail_id
  )
  update mail_attempts set outcome = $4, answer = $5 from later where mail_attempts.mail_id = later.mail_id and attempt = $3`;

const QUEUE_AGAIN = `
  with mail as (
    update mails set status = 'queued', ended_at = null
    where id = $1 and status in ('failed', 'kept') and fields is not null returning id
  ), before as (
    select coalesce(max(attempt), 0) as attempts from mail_attempts where mail_id = $1
  )
  insert into mail_queue (mail_id, late_at, attempts, attempts_before)
  select mail.id, now() + $2::int * interval '1 second', before.attempts, before.attempts from mail, before`;

const DELETE_OLD = `
  delete from mails where id in (
    select id from mails where ended_at < now() - $1::int * interval '1 day' order by ended_at limit $2 for update skip locked
  )`;

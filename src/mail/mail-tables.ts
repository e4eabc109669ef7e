// Mails, their queue and their attempts. Tables: mails, mail_queue, mail_attempts
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";

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
}

/** Returns whether the cause had no mail yet. */
export async function insertMail(tx: Queryable, mail: NewMail): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "insert_mail",
    text: INSERT,
    values: [mail.id, mail.tenantId, mail.cause, mail.template, mail.to, mail.fields, mail.lateAfter],
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

/** Ends those that are due without sending them: they are read here. Returns how many. */
export async function keepMails(tx: Queryable, limit: number): Promise<number> {
  return (await tx.query({ text: KEEP, values: [limit] })).rowCount;
}

export interface AttemptEnd {
  outcome: "sent" | "refused" | "retry";
  /** The mail server's answer, or why there was none. */
  answer: string | null;
}

/** Ends a mail after this attempt. False when the lease was lost: another worker has it. */
export async function endMail(
  tx: Queryable,
  mail: ClaimedMail,
  lease: string,
  status: "sent" | "failed",
  end: AttemptEnd,
): Promise<boolean> {
  const values = [mail.id, lease, mail.attempt, end.outcome, end.answer, status];
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

/** Deletes mails that ended this many days ago, and with them the addresses. Returns how many. */
export async function deleteOldMails(tx: Queryable, days: number, limit = 10_000): Promise<number> {
  return (await tx.query({ text: DELETE_OLD, values: [days, limit] })).rowCount;
}

const INSERT = `
  with mail as (
    insert into mails (id, tenant_id, cause, template, recipient, fields) values ($1, $2, $3, $4, $5, $6::jsonb)
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
    returning queue.mail_id, queue.attempts
  ), begun as (
    insert into mail_attempts (mail_id, attempt) select mail_id, attempts from claimed
  )
  select mails.id, mails.tenant_id as "tenantId", mails.template, mails.recipient as "to", mails.fields, claimed.attempts as attempt
  from claimed join mails on mails.id = claimed.mail_id order by mails.id`;

const DROP_LATE = `
  with late as (
    delete from mail_queue where mail_id in (
      select mail_id from mail_queue where next_attempt_at <= now() and late_at <= now()
      order by next_attempt_at limit $1 for update skip locked
    ) returning mail_id
  )
  update mails set status = 'dropped', ended_at = now(), fields = null from late where id = late.mail_id`;

const KEEP = `
  with kept as (
    delete from mail_queue where mail_id in (
      select mail_id from mail_queue where next_attempt_at <= now() order by next_attempt_at limit $1 for update skip locked
    ) returning mail_id
  )
  update mails set status = 'kept', ended_at = now() from kept where id = kept.mail_id`;

// Together in one statement: the mail, its attempt and its place in the queue never disagree.
const END = `
  with ended as (
    delete from mail_queue where mail_id = $1 and lease = $2 returning mail_id
  ), attempt as (
    update mail_attempts set outcome = $4, answer = $5 from ended where mail_attempts.mail_id = ended.mail_id and attempt = $3
  )
  update mails set status = $6, ended_at = now(), fields = null from ended where id = ended.mail_id`;

const PUT_OFF = `
  with later as (
    update mail_queue set lease = null, next_attempt_at = now() + $6::float8 * interval '1 second'
    where mail_id = $1 and lease = $2 returning mail_id
  )
  update mail_attempts set outcome = $4, answer = $5 from later where mail_attempts.mail_id = later.mail_id and attempt = $3`;

const DELETE_OLD = `
  delete from mails where id in (
    select id from mails where ended_at < now() - $1::int * interval '1 day' order by ended_at limit $2 for update skip locked
  )`;

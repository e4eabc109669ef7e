// Reading mails: what was sent, what failed and why, and the kept mails of an installation without a mail server.
import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";
import { hasOneTimeLink } from "./mail-fields.ts";
import type { MailStatus } from "./mail-tables.ts";
import { type RenderedMail, renderStored } from "./templates.ts";

export interface MailSummary {
  id: string;
  tenantId: string | null;
  to: string;
  template: string;
  status: MailStatus;
  createdAt: Date;
  endedAt: Date | null;
  attempts: number;
  /** What the last attempt came to, in the mail server's words where it had any. */
  lastAnswer: string | null;
  droppedBecause: "late" | "no_longer_true" | null;
  /** When it is tried next; null when it has ended. */
  nextAttemptAt: Date | null;
}

export interface MailAttempt {
  attempt: number;
  at: Date;
  /** null: the process ended during it, or it runs now. */
  outcome: "sent" | "refused" | "retry" | "dropped" | null;
  answer: string | null;
}

export interface ReadMail extends MailSummary {
  attemptList: MailAttempt[];
  /** Only of a kept mail. Any other has gone to its reader alone: its link is that person's key. */
  content: RenderedMail | null;
}

export interface MailPage {
  items: MailSummary[];
  next_cursor: string | null;
}

export interface MailFilter {
  tenantId?: string;
  status?: MailStatus | undefined;
  /** An exact address. */
  to?: string | undefined;
  template?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** Newest first. Throws `invalid_request` for a cursor that was not given out here. */
export async function listMails(
  tx: Queryable,
  { tenantId, status, to, template, limit, cursor }: MailFilter,
): Promise<MailPage> {
  if (cursor !== undefined && !MAIL_ID.test(cursor)) {
    throw publicError("invalid_request", {
      param: "cursor",
      message: "Send the next_cursor of the page before, unchanged.",
    });
  }
  const values = [tenantId ?? null, status ?? null, cursor ?? null, limit + 1, to ?? null, template ?? null];
  const { rows } = await tx.query<MailSummary>({ text: LIST, values });
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

export interface ReadingOptions {
  product?: string | undefined;
  /** Show addresses that are a person's key, in development. Else their path and query are left out. Default true. */
  oneTimeLinks?: boolean;
}

/** One mail with its attempts; undefined when there is none. */
export async function readMail(tx: Queryable, id: string, options: ReadingOptions = {}): Promise<ReadMail | undefined> {
  const { rows } = await tx.query<MailSummary & { fields: unknown }>({ text: READ, values: [id] });
  const [row] = rows;
  if (row === undefined) return undefined;
  const { fields, ...summary } = row;
  const attempts = await tx.query<MailAttempt>({ text: ATTEMPTS, values: [id] });
  return {
    ...summary,
    attemptList: attempts.rows,
    content: row.status === "kept" ? contentOf(row.template, fields, options) : null,
  };
}

function contentOf(template: string, fields: unknown, { product, oneTimeLinks = true }: ReadingOptions): RenderedMail {
  if (oneTimeLinks || !hasOneTimeLink(template)) return renderStored(template, fields, product);
  const { link, ...others }: { link?: unknown } = Object(fields) as object;
  const hidden = typeof link === "string" && URL.canParse(link) ? `${new URL(link).origin}/hidden` : link;
  return renderStored(template, { ...others, link: hidden }, product);
}

const MAIL_ID = /^mail_[0-9a-z]{26}$/;

const SUMMARY = `
  mails.id, mails.tenant_id as "tenantId", mails.recipient as "to", mails.template, mails.status,
  mails.created_at as "createdAt", mails.ended_at as "endedAt",
  mails.dropped_because as "droppedBecause",
  coalesce(last.attempt, 0)::int as attempts, last.answer as "lastAnswer", mail_queue.next_attempt_at as "nextAttemptAt"`;

const FROM = `
  from mails
  left join mail_queue on mail_queue.mail_id = mails.id
  left join lateral (
    select attempt, answer from mail_attempts where mail_id = mails.id order by attempt desc limit 1
  ) as last on true`;

const LIST = `
  select ${SUMMARY} ${FROM}
  where ($1::text is null or mails.tenant_id = $1) and ($2::text is null or mails.status = $2) and ($3::text is null or mails.id < $3)
    and ($5::text is null or mails.recipient = $5) and ($6::text is null or mails.template = $6)
  order by mails.id desc limit $4`;

const READ = `select ${SUMMARY}, mails.fields ${FROM} where mails.id = $1`;

const ATTEMPTS = `select attempt::int, at, outcome, answer from mail_attempts where mail_id = $1 order by attempt`;

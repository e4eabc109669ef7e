// Who did what, when, from where, and what it changed: written in the commit of the act itself, never changed. Table: audit_log
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { storableText } from "../base/text.ts";
import type { Queryable } from "../db/database.ts";
import { redacted } from "./redact.ts";

export type ActorKind = "person" | "key" | "operator" | "system";

export interface Actor {
  kind: ActorKind;
  /** usr_… or key_…; null where there is none: an operator's token, ourselves, a person who is not known. */
  id: string | null;
}

export interface AuditEntry {
  /** null: the act belongs to no tenant. */
  tenantId: string | null;
  actor: Actor;
  /** What was done, as `<thing>.<past participle>`: `api_key.revoked`, `member.invited`, `person.signed_in`. */
  action: string;
  /** The id of what it was done to. */
  target: string | null;
  /** The address it came from; null for what we do ourselves. */
  source: string | null;
  /** What it was, and what it is now; secrets in them are replaced by `[secret]`. */
  before?: object | undefined;
  after?: object | undefined;
}

/** Writes the entry in the caller's transaction: the act and its entry are one commit. */
export async function audit(tx: Queryable, entry: AuditEntry): Promise<void> {
  const { tenantId, actor, action, target, source, before, after } = entry;
  const values = [
    newId("aud"),
    tenantId,
    actor.kind,
    textOrNull(actor.id),
    storableText(action),
    textOrNull(target),
    textOrNull(source),
    jsonOrNull(before),
    jsonOrNull(after),
  ];
  await tx.query({ name: "audit", text: INSERT, values });
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}

function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(redacted(value));
}

export interface AuditRecord {
  id: string;
  tenantId: string | null;
  at: Date;
  actor: Actor;
  action: string;
  target: string | null;
  source: string | null;
  before: unknown;
  after: unknown;
}

export interface AuditPage {
  items: AuditRecord[];
  next_cursor: string | null;
}

export interface AuditFilter {
  /** null: what belongs to no tenant. */
  tenantId: string | null;
  limit: number;
  cursor?: string | null | undefined;
}

/** A tenant's entries, newest first. Throws `invalid_request` for a cursor that was not given out here. */
export async function readAuditLog(tx: Queryable, { tenantId, limit, cursor }: AuditFilter): Promise<AuditPage> {
  if (typeof cursor === "string" && !AUDIT_ID.test(cursor)) {
    throw publicError("invalid_request", {
      param: "cursor",
      message: "Send the next_cursor of the page before, unchanged.",
    });
  }
  const text = tenantId === null ? READ_NOBODYS : READ;
  const values = [cursor ?? null, limit + 1, ...(tenantId === null ? [] : [tenantId])];
  const { rows } = await tx.query<Omit<AuditRecord, "actor"> & { actorKind: ActorKind; actorId: string | null }>({
    text,
    values,
  });
  const items = rows
    .slice(0, limit)
    .map(({ actorKind, actorId, ...rest }): AuditRecord => ({ ...rest, actor: { kind: actorKind, id: actorId } }));
  return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const AUDIT_ID = /^aud_[0-9a-z]{26}$/;

const INSERT = `
  insert into audit_log (id, tenant_id, actor_kind, actor_id, action, target, source, before, after)
  values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb)`;

const COLUMNS = `
  id, tenant_id as "tenantId", at, actor_kind as "actorKind", actor_id as "actorId", action, target, source, before, after`;

const PAGE = "($1::text is null or id < $1) order by id desc limit $2";
const READ = `select ${COLUMNS} from audit_log where tenant_id = $3 and ${PAGE}`;
const READ_NOBODYS = `select ${COLUMNS} from audit_log where tenant_id is null and ${PAGE}`;

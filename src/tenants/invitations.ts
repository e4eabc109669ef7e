// Invitations to a tenant, accepted by their token alone. Table: invitations
import { newId } from "../base/ids.ts";
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { hashOf, newToken } from "./bearer-tokens.ts";
import type { TenantRole } from "./memberships.ts";

export const INVITATION_DAYS = 7;
const MINUTES_OF_A_DAY = 24 * 60;

export interface Invitation {
  id: string;
  tenantId: string;
  /** Null: the platform's first operator, who names an own one. */
  email: string | null;
  role: TenantRole;
  /** Null: nobody; a start made it. */
  invitedBy: string | null;
  createdAt: Date;
  expiresAt: Date;
}

export interface NewInvitation {
  tenantId: string;
  email: string | null;
  role: TenantRole;
  invitedBy: string | null;
  /** Left out: INVITATION_DAYS. */
  validMinutes?: number;
}

/** One that waits for the same address is replaced; of several that are made at once the last one stays. */
export async function insertInvitation(
  tx: Queryable,
  { tenantId, email, role, invitedBy, validMinutes = INVITATION_DAYS * MINUTES_OF_A_DAY }: NewInvitation,
): Promise<{ invitation: Invitation; token: string }> {
  const { token, hash } = newToken();
  await tx.query({ text: ONE_AT_A_TIME, values: [`invitation|${tenantId}|`, email] });
  await endInvitationTo(tx, tenantId, email);
  const values = [tenantId, newId("inv"), email, role, hash, invitedBy, validMinutes];
  const { rows } = await tx.query<Invitation>({ text: INSERT, values });
  const [invitation] = rows;
  if (invitation === undefined) throw new Error("an invitation could not be stored");
  return { invitation, token };
}

/** One that waits for this address is taken back; null: the platform's first operator's. */
export async function endInvitationTo(tx: Queryable, tenantId: string, email: string | null): Promise<void> {
  await tx.query({ text: END, values: [tenantId, email] });
}

/** What waits to be accepted. */
export async function listInvitations(tx: Queryable, tenantId: string): Promise<Invitation[]> {
  return (await tx.query<Invitation>({ text: `${SELECT} and tenant_id = $1 order by id`, values: [tenantId] })).rows;
}

/** Undefined: there is none that waits. */
export async function readInvitation(tx: Queryable, token: string): Promise<Invitation | undefined> {
  return (await tx.query<Invitation>({ text: BY_TOKEN, values: [hashOf(token)] })).rows[0];
}

/** Locked until the transaction ends: of two that accept at once the second finds none. */
export async function lockInvitation(tx: Queryable, token: string): Promise<Invitation | undefined> {
  return (await tx.query<Invitation>({ text: `${BY_TOKEN} for update`, values: [hashOf(token)] })).rows[0];
}

export async function markAccepted(tx: Queryable, { tenantId, id }: Invitation): Promise<void> {
  await tx.query({ text: ACCEPT, values: [tenantId, id] });
}

/** Undefined: there is none that waits. */
export async function revokeInvitation(tx: Queryable, tenantId: string, id: string): Promise<Invitation | undefined> {
  return (await tx.query<Invitation>({ text: REVOKE, values: [tenantId, id] })).rows[0];
}

/** Takes back what waits of one person's invitations, but for the roles that they may still grant. */
export async function revokeInvitationsBy(
  tx: Queryable,
  { tenantId, personId, keep }: { tenantId: string; personId: string; keep: readonly TenantRole[] },
): Promise<Invitation[]> {
  return (await tx.query<Invitation>({ text: REVOKE_BY, values: [tenantId, personId, textArray(keep)] })).rows;
}

const COLUMNS = `
  id, tenant_id as "tenantId", email, role, invited_by as "invitedBy", created_at as "createdAt",
  expires_at as "expiresAt"`;
const WAITS = "accepted_at is null and revoked_at is null and expires_at > now()";
const ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1 || coalesce(lower($2::text), ''), 0))";
const END = `
  update invitations set revoked_at = now()
  where tenant_id = $1 and lower(email) is not distinct from lower($2::text) and accepted_at is null and revoked_at is null`;
const INSERT = `
  insert into invitations (tenant_id, id, email, role, token_hash, invited_by, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + make_interval(mins => $7))
  returning ${COLUMNS}`;
const SELECT = `select ${COLUMNS} from invitations where ${WAITS}`;
const BY_TOKEN = `${SELECT} and token_hash = $1`;
const ACCEPT = "update invitations set accepted_at = now() where tenant_id = $1 and id = $2";
const REVOKE = `
  update invitations set revoked_at = now() where tenant_id = $1 and id = $2 and ${WAITS} returning ${COLUMNS}`;
const REVOKE_BY = `
  update invitations set revoked_at = now()
  where tenant_id = $1 and invited_by = $2 and not role = any ($3::text[]) and ${WAITS} returning ${COLUMNS}`;

// Invitations to a tenant, accepted by their token alone. Table: invitations
import { newId } from "../base/ids.ts";
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

/** One that waits for the same address is replaced. */
export async function insertInvitation(
  tx: Queryable,
  { tenantId, email, role, invitedBy, validMinutes = INVITATION_DAYS * MINUTES_OF_A_DAY }: NewInvitation,
): Promise<{ invitation: Invitation; token: string }> {
  const { token, hash } = newToken();
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

/** Locked until the transaction ends: of two that accept at once the second finds none. */
export async function lockInvitation(tx: Queryable, token: string): Promise<Invitation | undefined> {
  const { rows } = await tx.query<Invitation>({
    text: `${SELECT} and token_hash = $1 for update`,
    values: [hashOf(token)],
  });
  return rows[0];
}

export async function markAccepted(tx: Queryable, { tenantId, id }: Invitation): Promise<void> {
  await tx.query({ text: ACCEPT, values: [tenantId, id] });
}

/** Undefined: there is none that waits. */
export async function revokeInvitation(tx: Queryable, tenantId: string, id: string): Promise<Invitation | undefined> {
  return (await tx.query<Invitation>({ text: REVOKE, values: [tenantId, id] })).rows[0];
}

const COLUMNS = `id, tenant_id as "tenantId", email, role, created_at as "createdAt", expires_at as "expiresAt"`;
const WAITS = "accepted_at is null and revoked_at is null and expires_at > now()";
const END = `
  update invitations set revoked_at = now()
  where tenant_id = $1 and lower(email) is not distinct from lower($2::text) and accepted_at is null and revoked_at is null`;
const INSERT = `
  insert into invitations (tenant_id, id, email, role, token_hash, invited_by, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + make_interval(mins => $7))
  returning ${COLUMNS}`;
const SELECT = `select ${COLUMNS} from invitations where ${WAITS}`;
const ACCEPT = "update invitations set accepted_at = now() where tenant_id = $1 and id = $2";
const REVOKE = `
  update invitations set revoked_at = now() where tenant_id = $1 and id = $2 and ${WAITS} returning ${COLUMNS}`;

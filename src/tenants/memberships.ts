// Who belongs to which tenant, and as what. Table: memberships
import type { Queryable } from "../db/database.ts";

export const TENANT_ROLES = ["owner", "admin", "member"] as const;
export type TenantRole = (typeof TENANT_ROLES)[number];

export interface Membership {
  tenantId: string;
  role: TenantRole;
}

export interface Member {
  personId: string;
  email: string;
  name: string | null;
  role: TenantRole;
  createdAt: Date;
}

const RANK: Record<TenantRole, number> = { owner: 3, admin: 2, member: 1 };

/** owner ⊃ admin ⊃ member */
export function includes(role: TenantRole, wanted: TenantRole): boolean {
  return RANK[role] >= RANK[wanted];
}

/** Returns false when the person is a member already. */
export async function addMember(
  tx: Queryable,
  { tenantId, personId, role }: { tenantId: string; personId: string; role: TenantRole },
): Promise<boolean> {
  return (await tx.query({ text: ADD, values: [tenantId, personId, role] })).rowCount === 1;
}

export async function listMembers(tx: Queryable, tenantId: string): Promise<Member[]> {
  return (await tx.query<Member>({ text: `${MEMBERS} order by membership.created_at, person.id`, values: [tenantId] }))
    .rows;
}

export async function readMember(tx: Queryable, tenantId: string, personId: string): Promise<Member | undefined> {
  const { rows } = await tx.query<Member>({ text: `${MEMBERS} and person.id = $2`, values: [tenantId, personId] });
  return rows[0];
}

export async function isMemberByEmail(tx: Queryable, tenantId: string, email: string): Promise<boolean> {
  const text = `${MEMBERS} and lower(person.email) = lower($2)`;
  return (await tx.query({ text, values: [tenantId, email] })).rowCount > 0;
}

/** The owners of a tenant, locked until the transaction ends: of two that step down at once the second sees that it is the last. */
export async function lockOwners(tx: Queryable, tenantId: string): Promise<string[]> {
  const { rows } = await tx.query<{ personId: string }>({ text: LOCK_OWNERS, values: [tenantId] });
  return rows.map(({ personId }) => personId);
}

export async function setRole(tx: Queryable, tenantId: string, personId: string, role: TenantRole): Promise<void> {
  await tx.query({ text: SET_ROLE, values: [tenantId, personId, role] });
}

export async function removeMember(tx: Queryable, tenantId: string, personId: string): Promise<void> {
  await tx.query({
    text: "delete from memberships where tenant_id = $1 and person_id = $2",
    values: [tenantId, personId],
  });
}

const ADD = `
  insert into memberships (tenant_id, person_id, role) values ($1, $2, $3) on conflict (tenant_id, person_id) do nothing`;
const MEMBERS = `
  select person.id as "personId", person.email, person.name, membership.role, membership.created_at as "createdAt"
  from memberships as membership join people as person on person.id = membership.person_id
  where membership.tenant_id = $1`;
const LOCK_OWNERS = `
  select person_id as "personId" from memberships where tenant_id = $1 and role = 'owner' order by person_id for update`;
const SET_ROLE = "update memberships set role = $3, updated_at = now() where tenant_id = $1 and person_id = $2";

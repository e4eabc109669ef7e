// Routes of a tenant's members: list, invite, accept, change, remove; and what they did.
import { z } from "zod";

import { readAuditLog } from "../audit/audit-log.ts";
import { listInvitations } from "../tenants/invitations.ts";
import type { Invitation } from "../tenants/invitations.ts";
import { acceptInvitation, changeMember, inviteMember, removeFromTenant } from "../tenants/members.ts";
import { listMembers } from "../tenants/memberships.ts";
import type { Member } from "../tenants/memberships.ts";
import { viewOfPerson } from "../tenants/people.ts";
import { ownId, pageOfAll } from "../inbox/list-query.ts";
import { findConnection } from "../connections/connection-table.ts";
import { viewOfTenant } from "../tenants/tenant-table.ts";
import { intoCookie, sessionAnswer } from "./auth-routes.ts";
import { actOf, personOf, scopeOf, tenantOf } from "./caller.ts";
import { email, line, mailedToken, Message, password, role, TenantAnswer, Tokens, User } from "./people-fields.ts";
import { idParams, isoTime, listOf, longPageFields, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";
import { countAsTry } from "./tries.ts";

const TAG = "Members";

const MemberAnswer = z
  .strictObject({
    id: z.string().meta({ description: "The person's id, or the invitation's." }),
    email: z.string().nullable(),
    name: z.string().nullable(),
    role,
    status: z.enum(["active", "invited"]),
    created_at: isoTime,
    expires_at: isoTime.nullable().meta({ description: "When an invitation ends." }),
  })
  .meta({ id: "Member" });

type MemberView = z.output<typeof MemberAnswer>;

function viewOfMember({ personId, email: address, name, role: as, createdAt }: Member): MemberView {
  const created_at = createdAt.toISOString();
  return { id: personId, email: address, name, role: as, status: "active", created_at, expires_at: null };
}

function viewOfInvitation({ id, email: address, role: as, createdAt, expiresAt }: Invitation): MemberView {
  const [created_at, expires_at] = [createdAt.toISOString(), expiresAt.toISOString()];
  return { id, email: address, name: null, role: as, status: "invited", created_at, expires_at };
}

const isStatus = (value: unknown): boolean => value === "active" || value === "invited";
const isMemberId = (value: unknown): boolean => ownId("usr")(value) || ownId("inv")(value);

/** Members before invitations, of each the oldest first: few, whoever the tenant is. */
export const listMembersRoute = operation({
  tag: TAG,
  query: z.strictObject(longPageFields),
  answers: { 200: listOf(MemberAnswer) },
  run: async (call) => {
    const { id } = tenantOf(call.caller);
    const [members, invitations] = await scopeOf(call).transaction((tx) =>
      Promise.all([listMembers(tx, id), listInvitations(tx, id)]),
    );
    return pageOfAll([...members.map(viewOfMember), ...invitations.map(viewOfInvitation)], call.query, {
      item: (member) => member,
      place: (member) => [member.status, Date.parse(member.created_at), member.id],
      parts: [isStatus, "integer", isMemberId],
    });
  },
});

export const inviteMemberRoute = operation({
  tag: TAG,
  body: z.strictObject({ email, role: role.default("member") }),
  answers: { 201: MemberAnswer },
  idempotent: true,
  run: async (call) => {
    const { deps, body, caller, reply } = call;
    const [tenant, { personId }] = [tenantOf(caller), personOf(caller)];
    await countAsTry(call, "invitation", `${tenant.id} ${body.email}`);
    const by = { personId, role: tenant.role ?? "member" };
    const { frontendUrl } = deps.people;
    const invitation = await inviteMember(scopeOf(call), { ...body, by, frontendUrl }, actOf(caller));
    reply.status(201);
    return viewOfInvitation(invitation);
  },
});

export const acceptInvitationRoute = operation({
  tag: TAG,
  body: z.strictObject({
    token: mailedToken,
    password: password.optional().meta({
      description: "Of who has no verified account yet, the one that it is to have; of others their own, or none.",
    }),
    name: line(200).optional(),
    email: email.optional().meta({ description: "For an invitation that names no address: the first operator's." }),
    cookie: intoCookie,
  }),
  answers: {
    200: z.strictObject({ message: z.string(), tenant: TenantAnswer, user: User, role, tokens: Tokens.nullable() }),
  },
  run: async (call) => {
    await countAsTry(call, "token");
    const { deps, body, caller } = call;
    const { tenant, person, role: as, tokens } = await acceptInvitation(deps.people, body, caller.source);
    const account = await findConnection(deps.database, { tenantId: tenant.id, livemode: caller.livemode });
    return {
      message: tokens === null ? "You are a member: sign in." : "You are a member.",
      tenant: viewOfTenant(tenant, account),
      role: as,
      ...(tokens === null
        ? { user: viewOfPerson(person), tokens }
        : sessionAnswer(call, { person, tokens }, body.cookie)),
    };
  },
});

export const changeMemberRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({ role }),
  answers: { 200: MemberAnswer },
  run: async (call) => {
    const { params, body, caller } = call;
    const change = { personId: params.id, role: body.role };
    return viewOfMember(await changeMember(scopeOf(call), change, actOf(caller)));
  },
});

export const removeMemberRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: Message },
  run: async (call) => {
    await removeFromTenant(scopeOf(call), call.params.id, actOf(call.caller));
    return { message: "Removed." };
  },
});

const AuditEntry = z
  .strictObject({
    id: z.string(),
    action: z.string(),
    actor: z.strictObject({ kind: z.string(), id: z.string().nullable() }),
    target: z.string().nullable(),
    source: z.string().nullable().meta({ description: "The address that it was done from." }),
    before: z.unknown(),
    after: z.unknown(),
    created_at: isoTime,
  })
  .meta({ id: "AuditEntry" });

export const listAuditLog = operation({
  tag: TAG,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(AuditEntry) },
  run: async (call) => {
    const tenantId = tenantOf(call.caller).id;
    const { items, next_cursor } = await readAuditLog(scopeOf(call), { tenantId, ...call.query });
    const data = items.map(({ tenantId: _, at, ...rest }) => ({ ...rest, created_at: at.toISOString() }));
    return { data, has_more: next_cursor !== null, next_cursor };
  },
});

// Who belongs to a tenant: invited, accepted, changed, removed. The rules: nobody grants above the own role, an owner stays.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { queueMail } from "../mail/queue-mail.ts";
import { insertInvitation, INVITATION_DAYS, lockInvitation, markAccepted, revokeInvitation } from "./invitations.ts";
import type { Invitation } from "./invitations.ts";
import { addMember, includes, isMemberByEmail, lockOwners, readMember, removeMember, setRole } from "./memberships.ts";
import type { Member, TenantRole } from "./memberships.ts";
import { mailedLink, tokenPair } from "./people-context.ts";
import type { Act, PeopleContext, TokenPair } from "./people-context.ts";
import { findPerson, insertPerson, readPerson, setPassword, setVerified } from "./people.ts";
import type { Person } from "./people.ts";
import { acceptedHash } from "./registration.ts";
import { endSessions, startSession } from "./sessions.ts";
import { readTenant } from "./tenant-table.ts";
import type { Tenant } from "./tenant-table.ts";

export interface Inviting {
  email: string;
  role: TenantRole;
  /** Who invites, and as what. */
  by: { personId: string; role: TenantRole };
  /** Where the link leads. */
  frontendUrl: string;
}

/** Mails an invitation. Throws `forbidden` for a role above the inviter's, `already_member`. */
export async function inviteMember(
  scope: TenantScope,
  { email, role, by, frontendUrl }: Inviting,
  act: Act,
): Promise<Invitation> {
  const { tenantId } = scope;
  if (!includes(by.role, role)) {
    throw publicError("forbidden", {
      message: "Nobody grants a role above the own: choose a lower one.",
      param: "role",
    });
  }
  return scope.transaction(async (tx) => {
    if (await isMemberByEmail(tx, tenantId, email)) throw publicError("already_member", { param: "email" });
    const [tenant, inviter] = [await readTenant(tx, tenantId), await readMember(tx, tenantId, by.personId)];
    const { invitation, token } = await insertInvitation(tx, { tenantId, email, role, invitedBy: by.personId });
    await queueMail(tx, {
      tenantId,
      cause: `invite:${invitation.id}`,
      to: email,
      template: "invite",
      fields: {
        link: mailedLink(frontendUrl, "invitation", token),
        company_name: tenant.companyName,
        invited_by: inviter?.name ?? inviter?.email ?? "",
        role,
        valid_for: `${INVITATION_DAYS} days`,
      },
    });
    await audit(tx, { tenantId, ...act, action: "member.invited", target: invitation.id, after: { email, role } });
    return invitation;
  });
}

export interface Accepting {
  token: string;
  password?: string | undefined;
  name?: string | undefined;
  /** For an invitation that names no address. */
  email?: string | undefined;
}

export interface Accepted {
  tenant: Tenant;
  person: Person;
  role: TenantRole;
  /** Null: this person has a password already, and signs in with it. */
  tokens: TokenPair | null;
}

/**
 * Accepts an invitation by its token. Who has no verified account yet chooses a password here: an account that somebody else
 * may have made with this address is taken over, its sessions end. Throws `one_time_token_invalid`, `password_weak`.
 */
export async function acceptInvitation(
  context: PeopleContext,
  given: Accepting,
  source: string | null,
): Promise<Accepted> {
  const passwordHash =
    given.password === undefined
      ? undefined
      : await acceptedHash(given.password, [given.email ?? "", given.name ?? ""]);
  const accepted = await context.database.transaction(async (tx) => {
    const invitation = await lockInvitation(tx, given.token);
    if (invitation === undefined) throw publicError("one_time_token_invalid", { param: "token" });
    const { person, isNew } = await invitedPerson(tx, invitation, given, passwordHash);
    await markAccepted(tx, invitation);
    const { tenantId, role } = invitation;
    await addMember(tx, { tenantId, personId: person.id, role });
    const actor = { kind: "person", id: person.id } as const;
    await audit(tx, { tenantId, actor, source, action: "member.joined", target: person.id, after: { role } });
    const session = isNew ? await startSession(tx, person.id, source) : undefined;
    return { tenant: await readTenant(tx, tenantId), person, role, session };
  });
  const { session, ...rest } = accepted;
  return { ...rest, tokens: session === undefined ? null : await tokenPair(context, session) };
}

async function invitedPerson(
  tx: Queryable,
  invitation: Invitation,
  given: Accepting,
  passwordHash: string | undefined,
): Promise<{ person: Person; isNew: boolean }> {
  const email = invitation.email ?? given.email;
  if (email === undefined) throw publicError("invalid_request", { message: "Send your `email`.", param: "email" });
  const known = await findPerson(tx, email);
  // Without an address in the invitation nothing proves that this one is the caller's.
  if (known !== undefined && invitation.email === null) throw publicError("email_taken", { param: "email" });
  if (known?.emailVerifiedAt instanceof Date) return { person: known, isNew: false };
  if (passwordHash === undefined) {
    throw publicError("invalid_request", { message: "Send the `password` that you choose.", param: "password" });
  }
  const verified = invitation.email !== null;
  if (known === undefined) {
    const person = { id: newId("usr"), email, name: given.name ?? null, passwordHash, verified };
    const made = await insertPerson(tx, person);
    if (made === undefined) throw publicError("email_taken", { param: "email" });
    return { person: made, isNew: true };
  }
  await setPassword(tx, known.id, passwordHash);
  await setVerified(tx, known.id, known.email);
  await endSessions(tx, known.id, "invitation_accepted");
  return { person: (await readPerson(tx, known.id)) ?? known, isNew: true };
}

/** Throws `not_found`, `last_owner`. */
export async function changeMember(
  scope: TenantScope,
  { personId, role }: { personId: string; role: TenantRole },
  act: Act,
): Promise<Member> {
  const { tenantId } = scope;
  return scope.transaction(async (tx) => {
    const member = await lockedMember(tx, tenantId, personId, role === "owner");
    await setRole(tx, tenantId, personId, role);
    const change = { before: { role: member.role }, after: { role } };
    await audit(tx, { tenantId, ...act, action: "member.changed", target: personId, ...change });
    return { ...member, role };
  });
}

/** Removes a member, or takes an invitation back, by its id. Throws `not_found`, `last_owner`. */
export async function removeFromTenant(scope: TenantScope, id: string, act: Act): Promise<void> {
  const { tenantId } = scope;
  await scope.transaction(async (tx) => {
    if (id.startsWith("inv_")) {
      const revoked = await revokeInvitation(tx, tenantId, id);
      if (revoked === undefined) throw publicError("not_found");
      const before = { email: revoked.email, role: revoked.role };
      await audit(tx, { tenantId, ...act, action: "invitation.revoked", target: id, before });
      return;
    }
    const member = await lockedMember(tx, tenantId, id, false);
    await removeMember(tx, tenantId, id);
    await audit(tx, { tenantId, ...act, action: "member.removed", target: id, before: { role: member.role } });
  });
}

async function lockedMember(tx: Queryable, tenantId: string, personId: string, staysOwner: boolean): Promise<Member> {
  const owners = await lockOwners(tx, tenantId);
  const member = await readMember(tx, tenantId, personId);
  if (member === undefined) throw publicError("not_found");
  if (!staysOwner && owners.length === 1 && owners[0] === personId) throw publicError("last_owner");
  return member;
}

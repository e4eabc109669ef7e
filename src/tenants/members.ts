// Who belongs to a tenant: invited, accepted, changed, removed. The rules: nobody grants above the own role, an owner stays.
import { audit } from "../audit/audit-log.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { queueMail } from "../mail/queue-mail.ts";
import { insertInvitation, INVITATION_DAYS, lockInvitation, markAccepted, readInvitation } from "./invitations.ts";
import { revokeInvitation, revokeInvitationsBy } from "./invitations.ts";
import type { Invitation } from "./invitations.ts";
import { addMember, includes, isMemberByEmail, lockOwners, readMember, removeMember, setRole } from "./memberships.ts";
import { type Member, TENANT_ROLES, type TenantRole } from "./memberships.ts";
import { verifyPassword } from "./passwords.ts";
import { mailedLink, tokenPair } from "./people-context.ts";
import type { Act, PeopleContext, TokenPair } from "./people-context.ts";
import { findPerson, insertPerson, lockPerson, readPerson, setPassword, setVerified } from "./people.ts";
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
  /** Of a verified account its own, or none; else the one that it is to have. */
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
 * may have made with this address is taken over, its sessions end. A verified one joins by the token alone; a password that is sent
 * with it must be its own: whoever sends another one has not made that account. Throws `one_time_token_invalid`, `password_weak`, `credentials_invalid`.
 */
export async function acceptInvitation(
  context: PeopleContext,
  given: Accepting,
  source: string | null,
): Promise<Accepted> {
  const proven = await provenPassword(context.database, given);
  const accepted = await context.database.transaction(async (tx) => {
    const invitation = await standing(tx, await lockInvitation(tx, given.token));
    const { person, isNew } = await invitedPerson(tx, invitation, given, proven);
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

/** An invitation counts no longer than the right of who made it. Throws `one_time_token_invalid`. */
async function standing(tx: Queryable, invitation: Invitation | undefined): Promise<Invitation> {
  const invalid = publicError("one_time_token_invalid", { param: "token" });
  if (invitation === undefined) throw invalid;
  const { tenantId, invitedBy, role } = invitation;
  if (invitedBy === null) return invitation;
  const inviter = await readMember(tx, tenantId, invitedBy);
  if (inviter === undefined || !includes(inviter.role, role)) throw invalid;
  return invitation;
}

function addressOf(invitation: Invitation, given: Accepting): string {
  const email = invitation.email ?? given.email;
  if (email === undefined) throw publicError("invalid_request", { message: "Send your `email`.", param: "email" });
  return email;
}

/** `own`: of a verified account, which a password that was sent fits; else of one that was chosen. */
interface ProvenPassword {
  own: boolean;
  hash: string;
}

/** Before the transaction begins: argon2 takes 40 ms, and a guessed token must not cost them. */
async function provenPassword(database: Queryable, given: Accepting): Promise<ProvenPassword> {
  const invitation = await standing(database, await readInvitation(database, given.token));
  const email = addressOf(invitation, given);
  const known = await findPerson(database, email);
  // Without an address in the invitation nothing proves that this one is the caller's.
  if (known !== undefined && invitation.email === null) throw publicError("email_taken", { param: "email" });
  const { password, name = "" } = given;
  const own = isVerified(known);
  if (own && password === undefined) return { own, hash: known.passwordHash };
  if (password === undefined)
    throw publicError("invalid_request", { message: "Send the `password` that you choose.", param: "password" });
  if (!own) return { own, hash: await acceptedHash(password, [email, name, known?.name ?? ""]) };
  if (!(await verifyPassword(password, known.passwordHash))) throw notTheOwnPassword();
  return { own, hash: known.passwordHash };
}

const isVerified = <Known extends Person>(known: Known | undefined): known is Known & { emailVerifiedAt: Date } =>
  known?.emailVerifiedAt instanceof Date;

const OWN_PASSWORD =
  "There is an account with your address: send its `password`, or reset it by mail first if you do not know it.";
const notTheOwnPassword = (): PublicError =>
  publicError("credentials_invalid", { message: OWN_PASSWORD, param: "password" });

/** Throws `credentials_invalid` and `email_taken` when the account is not what it was when the password was looked at. */
async function invitedPerson(
  tx: Queryable,
  invitation: Invitation,
  given: Accepting,
  { own, hash: passwordHash }: ProvenPassword,
): Promise<{ person: Person; isNew: boolean }> {
  const email = addressOf(invitation, given);
  const known = await lockPerson(tx, email);
  if (own) {
    if (known?.passwordHash !== passwordHash) throw notTheOwnPassword();
    return { person: known, isNew: false };
  }
  const verified = invitation.email !== null;
  if (isVerified(known) || (known !== undefined && !verified)) throw publicError("email_taken", { param: "email" });
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

/** Takes back what waits of their invitations to a role above the new one. Throws `not_found`, `last_owner`. */
export async function changeMember(
  scope: TenantScope,
  { personId, role }: { personId: string; role: TenantRole },
  act: Act,
): Promise<Member> {
  const { tenantId } = scope;
  return scope.transaction(async (tx) => {
    const member = await lockedMember(tx, tenantId, personId, role === "owner");
    await setRole(tx, tenantId, personId, role);
    await endInvitationsBy(tx, { tenantId, personId, keep: TENANT_ROLES.filter((one) => includes(role, one)) }, act);
    const change = { before: { role: member.role }, after: { role } };
    await audit(tx, { tenantId, ...act, action: "member.changed", target: personId, ...change });
    return { ...member, role };
  });
}

/** Removes a member with what waits of their invitations, or takes an invitation back, by its id. Throws `not_found`, `last_owner`. */
export async function removeFromTenant(scope: TenantScope, id: string, act: Act): Promise<void> {
  const { tenantId } = scope;
  await scope.transaction(async (tx) => {
    if (id.startsWith("inv_")) {
      const revoked = await revokeInvitation(tx, tenantId, id);
      if (revoked === undefined) throw publicError("not_found");
      await auditRevoked(tx, revoked, act);
      return;
    }
    const member = await lockedMember(tx, tenantId, id, false);
    await removeMember(tx, tenantId, id);
    await endInvitationsBy(tx, { tenantId, personId: id, keep: [] }, act);
    await audit(tx, { tenantId, ...act, action: "member.removed", target: id, before: { role: member.role } });
  });
}

async function endInvitationsBy(
  tx: Queryable,
  by: { tenantId: string; personId: string; keep: readonly TenantRole[] },
  act: Act,
): Promise<void> {
  for (const revoked of await revokeInvitationsBy(tx, by)) await auditRevoked(tx, revoked, act);
}

async function auditRevoked(tx: Queryable, { tenantId, id, email, role }: Invitation, act: Act): Promise<void> {
  await audit(tx, { tenantId, ...act, action: "invitation.revoked", target: id, before: { email, role } });
}

async function lockedMember(tx: Queryable, tenantId: string, personId: string, staysOwner: boolean): Promise<Member> {
  const owners = await lockOwners(tx, tenantId);
  const member = await readMember(tx, tenantId, personId);
  if (member === undefined) throw publicError("not_found");
  if (!staysOwner && owners.length === 1 && owners[0] === personId) throw publicError("last_owner");
  return member;
}

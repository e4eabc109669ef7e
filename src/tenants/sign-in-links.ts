// The link that signs the platform's operator in: printed by each start in development, works once. Table: sign_in_links
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Database, Queryable } from "../db/database.ts";
import { hashOf, newToken } from "./bearer-tokens.ts";
import { nobodysPassword } from "./buyer-registration.ts";
import { addMember, listMembers, type Member } from "./memberships.ts";
import { mailedLink, type PeopleContext, tokenPair } from "./people-context.ts";
import { insertPerson, type Person, readPerson } from "./people.ts";
import { startSession } from "./sessions.ts";
import type { SignedInAnswer } from "./sign-in.ts";

/** That a link works which a start prints. */
export const LINK_MINUTES = 15;

/** Reserved by RFC 2606: Stripe takes it, and no mail to it reaches anybody. */
const OPERATOR_DOMAIN = "example.com";

/** A fresh link; those of earlier starts end. */
export async function signInLink(database: Database, frontendUrl: string): Promise<string> {
  const { token, hash } = newToken();
  await database.transaction(async (tx) => {
    await tx.query(FIRST_OPERATOR_LOCK);
    await tx.query("delete from sign_in_links");
    await tx.query({ text: ISSUE, values: [hash, LINK_MINUTES] });
  });
  return mailedLink(frontendUrl, "sign_in", token);
}

/** Of earlier starts. */
export async function endSignInLinks(database: Database): Promise<void> {
  await database.query("delete from sign_in_links");
}

/**
 * Signs the platform's owner in; where it has none, one is made, with a password that nobody knows: they choose one by the
 * link that "forgot password" mails. Throws `sign_in_link_invalid` for a token that is unknown, used or too old.
 */
export async function signInByLink(
  context: PeopleContext,
  { token, platformTenant }: { token: string; platformTenant: string },
  source: string | null,
): Promise<SignedInAnswer> {
  // Made before the transaction begins, and only where it is needed: it takes 40 ms, and guesses must cost less.
  const isFirst =
    (await isOpen(context.database, token)) && (await firstOwner(context.database, platformTenant)) === undefined;
  const passwordHash = isFirst ? await nobodysPassword() : undefined;
  const { person, session } = await context.database.transaction(async (tx) => {
    await tx.query(FIRST_OPERATOR_LOCK);
    const { rowCount } = await tx.query({ text: REDEEM, values: [hashOf(token)] });
    if (rowCount === 0) throw publicError("sign_in_link_invalid");
    const owner = await ownerOf(tx, platformTenant, passwordHash);
    await audit(tx, {
      ...{ tenantId: platformTenant, actor: { kind: "person", id: owner.id }, target: owner.id, source },
      ...{ action: "sign_in.succeeded", after: { by: "sign_in_link" } },
    });
    return { person: owner, session: await startSession(tx, owner.id, source) };
  });
  return { person, tokens: await tokenPair(context, session) };
}

async function isOpen(tx: Queryable, token: string): Promise<boolean> {
  return (await tx.query({ text: OPEN, values: [hashOf(token)] })).rowCount > 0;
}

async function firstOwner(tx: Queryable, platformTenant: string): Promise<Member | undefined> {
  return (await listMembers(tx, platformTenant)).find(({ role }) => role === "owner");
}

/** The first owner, or a new one. */
async function ownerOf(tx: Queryable, platformTenant: string, passwordHash: string | undefined): Promise<Person> {
  const member = await firstOwner(tx, platformTenant);
  const known = member === undefined ? undefined : await readPerson(tx, member.personId);
  if (known !== undefined) return known;
  // The last owner cannot go, so that there is one if there was one a moment ago.
  if (passwordHash === undefined) throw new Error("the platform has lost its owner");
  const person = await newOperator(tx, passwordHash);
  await addMember(tx, { tenantId: platformTenant, personId: person.id, role: "owner" });
  const entry = { tenantId: platformTenant, actor: { kind: "system", id: null }, source: null } as const;
  await audit(tx, { ...entry, action: "person.registered", target: person.id, after: { by: "sign_in_link" } });
  await audit(tx, { ...entry, action: "member.joined", target: person.id, after: { role: "owner" } });
  return person;
}

/** Whoever has registered this address before is somebody else, and does not become the owner by that. */
async function newOperator(tx: Queryable, passwordHash: string): Promise<Person> {
  const id = newId("usr");
  for (const name of ["operator", `operator-${id.slice(-8)}`]) {
    const email = `${name}@${OPERATOR_DOMAIN}`;
    const person = await insertPerson(tx, { id, email, name: "Operator", passwordHash, verified: true });
    if (person !== undefined) return person;
  }
  throw new Error("both of the operator's addresses are taken");
}

/** Of a `person`: made by a link, who has chosen no password since, and whom no mail reaches. The row is still as it was made. */
export const MADE_BY_LINK = `
  person.email ~ '^operator(-[0-9a-z]+)?@${OPERATOR_DOMAIN.replace(".", "[.]")}$'
  and person.password_changed_at = person.created_at and person.email_verified_at = person.created_at`;

/** Of two starts the later one's link is the one that works; and of two that open it at once one makes the owner. */
export const FIRST_OPERATOR_LOCK = "select pg_advisory_xact_lock(hashtextextended('billhook first operator', 0))";
const ISSUE = `
  insert into sign_in_links (token_hash, expires_at) values ($1, now() + make_interval(mins => $2))`;
const OPEN = "select from sign_in_links where token_hash = $1 and used_at is null and expires_at > now()";
const REDEEM = `
  update sign_in_links set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()`;

// People who sign in. Table: people
import type { Queryable } from "../db/database.ts";
import { spendTokens } from "./one-time-tokens.ts";

export interface Person {
  id: string;
  email: string;
  name: string | null;
  emailVerifiedAt: Date | null;
  createdAt: Date;
}

export interface PersonView {
  id: string;
  email: string;
  name: string | null;
  email_verified: boolean;
  created_at: string;
}

export interface NewPerson {
  id: string;
  email: string;
  name: string | null;
  passwordHash: string;
  verified: boolean;
}

/** Undefined: somebody has this address already. */
export async function insertPerson(tx: Queryable, person: NewPerson): Promise<Person | undefined> {
  const { rows } = await tx.query<Person>({
    text: INSERT,
    values: [person.id, person.email, person.name, person.passwordHash, person.verified],
  });
  return rows[0];
}

export async function readPerson(tx: Queryable, id: string): Promise<(Person & { passwordHash: string }) | undefined> {
  return (await tx.query<Person & { passwordHash: string }>({ text: `${SELECT} where id = $1`, values: [id] })).rows[0];
}

/** By address, in whatever case it was typed. */
export async function findPerson(
  tx: Queryable,
  email: string,
): Promise<(Person & { passwordHash: string }) | undefined> {
  return (await tx.query<Person & { passwordHash: string }>({ text: FIND, values: [email] })).rows[0];
}

/** As `findPerson`; until the transaction ends nobody changes the password or verifies the address. */
export async function lockPerson(
  tx: Queryable,
  email: string,
): Promise<(Person & { passwordHash: string }) | undefined> {
  const text = `${FIND} for no key update`;
  return (await tx.query<Person & { passwordHash: string }>({ text, values: [email] })).rows[0];
}

/** Whether the password is this one still; until the transaction ends nobody changes it. */
export async function keepsPassword(tx: Queryable, id: string, passwordHash: string): Promise<boolean> {
  return (await tx.query({ text: KEEPS_PASSWORD, values: [id, passwordHash] })).rowCount === 1;
}

/** No link to reset it that was mailed before works after it. */
export async function setPassword(tx: Queryable, id: string, passwordHash: string): Promise<void> {
  await tx.query({ text: SET_PASSWORD, values: [id, passwordHash] });
  await spendTokens(tx, "reset_password", id);
}

/** As `setPassword`. Returns false, and changes nothing, when the password is another one than `from` by now. */
export async function replacePassword(
  tx: Queryable,
  id: string,
  { from, to }: { from: string; to: string },
): Promise<boolean> {
  const values = [id, to, from];
  const replaced = (await tx.query({ text: `${SET_PASSWORD} and password_hash = $3`, values })).rowCount === 1;
  if (replaced) await spendTokens(tx, "reset_password", id);
  return replaced;
}

/** Returns false when the person's address is another one by now. */
export async function setVerified(tx: Queryable, id: string, email: string): Promise<boolean> {
  return (await tx.query({ text: SET_VERIFIED, values: [id, email] })).rowCount === 1;
}

export async function setName(tx: Queryable, id: string, name: string | null): Promise<void> {
  await tx.query({ text: "update people set name = $2, updated_at = now() where id = $1", values: [id, name] });
}

export function viewOfPerson({ id, email, name, emailVerifiedAt, createdAt }: Person): PersonView {
  return { id, email, name, email_verified: emailVerifiedAt !== null, created_at: createdAt.toISOString() };
}

const COLUMNS = `id, email, name, email_verified_at as "emailVerifiedAt", created_at as "createdAt"`;
const INSERT = `
  insert into people (id, email, name, password_hash, email_verified_at)
  values ($1, $2, $3, $4, case when $5::boolean then now() end)
  on conflict (lower(email)) do nothing
  returning ${COLUMNS}`;
const SELECT = `select ${COLUMNS}, password_hash as "passwordHash" from people`;
const FIND = `${SELECT} where lower(email) = lower($1)`;
// Shared: sign-ins wait for a change of the password, and not for each other.
const KEEPS_PASSWORD = "select from people where id = $1 and password_hash = $2 for share";
const SET_PASSWORD =
  "update people set password_hash = $2, password_changed_at = now(), updated_at = now() where id = $1";
const SET_VERIFIED = `
  update people set email_verified_at = coalesce(email_verified_at, now()), updated_at = now()
  where id = $1 and lower(email) = lower($2)`;

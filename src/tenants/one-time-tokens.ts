// Tokens that are mailed to a person and work once: to verify an address, to reset a password. Table: one_time_tokens
import type { Queryable } from "../db/database.ts";
import { hashOf, newToken } from "./bearer-tokens.ts";

export type Purpose = "verify_address" | "reset_password";

/** Hours that a token works. */
export const VALID_HOURS: Record<Purpose, number> = { verify_address: 48, reset_password: 1 };

/** The newest is the only one that works. `hours`: another time than the purpose's. */
export async function issueToken(
  tx: Queryable,
  { purpose, personId, email, hours }: { purpose: Purpose; personId: string; email: string; hours?: number },
): Promise<string> {
  const { token, hash } = newToken();
  await spendTokens(tx, purpose, personId);
  await tx.query({ text: ISSUE, values: [hash, purpose, personId, email, hours ?? VALID_HOURS[purpose]] });
  return token;
}

/** Whose it is, without using it. Undefined: unknown, used, or too old. */
export async function readToken(
  tx: Queryable,
  purpose: Purpose,
  token: string,
): Promise<{ personId: string; email: string } | undefined> {
  const values = [hashOf(token), purpose];
  return (await tx.query<{ personId: string; email: string }>({ text: READ, values })).rows[0];
}

/** Undefined: unknown, used, or too old. */
export async function redeemToken(
  tx: Queryable,
  purpose: Purpose,
  token: string,
): Promise<{ personId: string; email: string } | undefined> {
  const { rows } = await tx.query<{ personId: string; email: string }>({
    text: REDEEM,
    values: [hashOf(token), purpose],
  });
  return rows[0];
}

/** None of the person's for this purpose works any more. */
export async function spendTokens(tx: Queryable, purpose: Purpose, personId: string): Promise<void> {
  await tx.query({ text: SPEND_OPEN, values: [personId, purpose] });
}

export async function purgeTokens(tx: Queryable): Promise<number> {
  return (await tx.query("delete from one_time_tokens where expires_at < now() - interval '1 day'")).rowCount;
}

const SPEND_OPEN = `
  update one_time_tokens set used_at = now() where person_id = $1 and purpose = $2 and used_at is null`;
const ISSUE = `
  insert into one_time_tokens (token_hash, purpose, person_id, email, expires_at)
  values ($1, $2, $3, $4, now() + make_interval(hours => $5))`;
const WORKS = "token_hash = $1 and purpose = $2 and used_at is null and expires_at > now()";
const READ = `select person_id as "personId", email from one_time_tokens where ${WORKS}`;
const REDEEM = `
  update one_time_tokens set used_at = now() where ${WORKS} returning person_id as "personId", email`;

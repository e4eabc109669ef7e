// States of flows through Stripe's pages: given out once, stored hashed, bound to tenant and person, good for one return. Table: connect_states
import { hash, randomBytes } from "node:crypto";

import type { Queryable } from "../db/database.ts";
import type { ConnectMethod } from "./connect-status.ts";

/** Minutes that a state works. */
export const STATE_MINUTES = 10;
const STATE_BYTES = 32;

export interface ConnectFlow {
  tenantId: string;
  personId: string;
  livemode: boolean;
  method: ConnectMethod;
  /** Of an account link: the account that it is for. */
  account: string | null;
  redirectUri: string;
  /** Where the browser goes in the end; null: the dashboard. */
  returnUrl: string | null;
}

/** Stores a new flow, in the caller's transaction, and returns its state: this is the only time that it is known. */
export async function issueState(tx: Queryable, flow: ConnectFlow): Promise<string> {
  const state = randomBytes(STATE_BYTES).toString("base64url");
  const { tenantId, personId, livemode, method, account, redirectUri, returnUrl } = flow;
  const values = [tenantId, hashOf(state), personId, livemode, method, account, redirectUri, returnUrl, STATE_MINUTES];
  await tx.query({ text: ISSUE, values });
  return state;
}

/** Uses a state up. Undefined: nobody knows it, it was used, or it is too old. Of two calls at once one gets it. */
export async function redeemState(database: Queryable, state: string): Promise<ConnectFlow | undefined> {
  return (await database.query<ConnectFlow>({ text: REDEEM, values: [hashOf(state)] })).rows[0];
}

/** Where the browser of this flow goes, whether its state still works or not. Undefined: nobody knows it. */
export async function returnUrlOf(database: Queryable, state: string): Promise<string | null | undefined> {
  const { rows } = await database.query<{ returnUrl: string | null }>({ text: RETURN_URL, values: [hashOf(state)] });
  return rows[0]?.returnUrl;
}

/**
 * The account of an account link whose state has run out unused: onboarding may take longer than a state works, and
 * coming back from it grants nothing.
 */
export async function lateLink(
  database: Queryable,
  state: string,
): Promise<{ tenantId: string; livemode: boolean; account: string } | undefined> {
  const { rows } = await database.query<{ tenantId: string; livemode: boolean; account: string }>({
    text: LATE_LINK,
    values: [hashOf(state)],
  });
  return rows[0];
}

export async function purgeStates(database: Queryable): Promise<void> {
  await database.query("delete from connect_states where expires_at < now() - interval '1 day'");
}

/** 256 random bits need no salt and no slow hash. */
function hashOf(state: string): Buffer {
  return hash("sha256", state, "buffer");
}

const ISSUE = `
  insert into connect_states
    (tenant_id, state_hash, person_id, livemode, method, stripe_account, redirect_uri, return_url, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(mins => $9))`;
const REDEEM = `
  update connect_states set used_at = now()
  where state_hash = $1 and used_at is null and expires_at > now()
  returning tenant_id as "tenantId", person_id as "personId", livemode, method, stripe_account as account,
            redirect_uri as "redirectUri", return_url as "returnUrl"`;
const LATE_LINK = `
  select tenant_id as "tenantId", livemode, stripe_account as account from connect_states
  where state_hash = $1 and stripe_account is not null and used_at is null`;
const RETURN_URL = `select return_url as "returnUrl" from connect_states where state_hash = $1`;

// The way back from Stripe: a state that works once, and the account that it brings.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { hash } from "node:crypto";

import { type ConnectFlow, lateLink, redeemState } from "../connections/connect-states.ts";
import type { Connection } from "../connections/connection-table.ts";
import { findConnection } from "../connections/connection-table.ts";
import { tenantScope } from "../db/tenant-scope.ts";
import type { Database } from "../db/database.ts";
import { readMember } from "../tenants/memberships.ts";
import type { Act } from "../tenants/people-context.ts";
import type { ConnectContext } from "./connect-context.ts";
import { fetchAccount } from "./fetch-account.ts";
import { exchangeCode } from "./oauth.ts";
import { fetchedOf, recordAccount, recordConnection } from "./record-connection.ts";
import { linkTo, type StartedConnection } from "./start-connection.ts";

/** What Stripe sends people back with. */
export interface Return {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  errorDescription?: string | undefined;
}

/**
 * Throws `connect_state_invalid`, `connect_refused`, `stripe_account_taken`, `stripe_already_connected`, and what Stripe
 * fails with. However it ends, the state is used up: the same address again changes nothing.
 */
export async function finishConnection(
  context: ConnectContext,
  back: Return,
  source: string | null,
): Promise<Connection> {
  const flow = await redeemed(context, back.state);
  const act = actOf(flow, source);
  if (back.error !== undefined) throw await refused(context, flow, back, act);
  if (flow.account !== null) return finishLink(context, { ...flow, account: flow.account }, act);
  if (back.code === undefined) {
    throw publicError("connect_refused", {
      message: "Stripe sent no code: start the connection again.",
      param: "code",
    });
  }
  const { tenantId, livemode, method } = flow;
  const idempotencyKey = `billhook-connect-${hash("sha256", back.state, "hex").slice(0, 32)}`;
  const { account, at } = await exchangeCode(context, { livemode, code: back.code, idempotencyKey });
  const fetched = fetchedOf(await fetchAccount(context, { livemode, account }));
  const made = { tenantId, livemode, account, method, connectedAt: at, fetched };
  return recordConnection(context, { ...made, action: "stripe.connected" }, act);
}

/** The account was connected when it was made: now it may have told more. */
async function finishLink(
  context: ConnectContext,
  flow: ConnectFlow & { account: string },
  act: Act,
): Promise<Connection> {
  const { tenantId, livemode, account } = flow;
  const connection = await standing(context, flow);
  const fetched = fetchedOf(await fetchAccount(context, { livemode, account }));
  const now =
    fetched === undefined ? connection : await recordAccount(context, { tenantId, livemode, account, fetched });
  const after = { account, livemode, status: now.status };
  await audit(context.database, { tenantId, ...act, action: "stripe.onboarding_returned", target: account, after });
  return now;
}

/** How the account of a link stands whose state has run out; undefined where the state is not such a link's. */
export async function lateReturn({ database }: ConnectContext, state: string): Promise<Connection | undefined> {
  const link = await lateLink(database, state);
  const connection = link === undefined ? undefined : await findConnection(database, link);
  return connection !== undefined && connection.account === link?.account ? connection : undefined;
}

/** An account link works once and for minutes: a new one for the same account, with a new state. */
export async function renewLink(
  context: ConnectContext & { apiDatabase: Database },
  state: string,
  source: string | null,
): Promise<StartedConnection> {
  const flow = await redeemed(context, state);
  if (flow.account === null) throw publicError("connect_state_invalid");
  await standing(context, flow);
  const scope = tenantScope(context.apiDatabase, { tenantId: flow.tenantId });
  return linkTo(context, scope, { ...flow, account: flow.account }, actOf(flow, source));
}

/** Whoever began it must still be an owner. */
async function redeemed({ database }: ConnectContext, state: string): Promise<ConnectFlow> {
  const flow = await redeemState(database, state);
  const member = flow === undefined ? undefined : await readMember(database, flow.tenantId, flow.personId);
  if (flow === undefined || member?.role !== "owner") throw publicError("connect_state_invalid");
  return flow;
}

/** The account of the link must still be the tenant's. */
async function standing({ database }: ConnectContext, flow: ConnectFlow): Promise<Connection> {
  const connection = await findConnection(database, flow);
  if (connection !== undefined && connection.end === undefined && connection.account === flow.account)
    return connection;
  throw publicError("connect_state_invalid", {
    message: "This Stripe account was disconnected meanwhile: start the connection again.",
  });
}

async function refused(
  { database }: ConnectContext,
  { tenantId, livemode, method }: ConnectFlow,
  { error, errorDescription }: Return,
  act: Act,
): Promise<Error> {
  const code = error !== undefined && /^\w{1,64}$/.test(error) ? error : "invalid_request";
  const after = { livemode, method, error: code };
  await audit(database, { tenantId, ...act, action: "stripe.connect_refused", target: null, after });
  return publicError("connect_refused", { oauth: { error: code, description: errorDescription } });
}

function actOf({ personId }: ConnectFlow, source: string | null): Act {
  return { actor: { kind: "person", id: personId }, source };
}

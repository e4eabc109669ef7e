// The first step: an address of Stripe's to which the tenant's owner goes, and the state that comes back from there.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { type AccountCreation, beginCreation, endCreation } from "../connections/account-creations.ts";
import { issueState } from "../connections/connect-states.ts";
import type { ConnectMethod } from "../connections/connect-status.ts";
import type { Connection } from "../connections/connection-table.ts";
import { findConnection, isUnfinished } from "../connections/connection-table.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import type { Act } from "../tenants/people-context.ts";
import { callbackUrl, type ConnectContext, refreshUrl, type TenantInMode } from "./connect-context.ts";
import { fetchAccount } from "./fetch-account.ts";
import { authorizeUrl, clientIdOf, secondOf } from "./oauth.ts";
import { fetchedOf, recordConnection } from "./record-connection.ts";

export interface WantedConnection extends TenantInMode {
  personId: string;
  method: ConnectMethod;
  /** Of a new account; null: the platform's. */
  country: string | null;
  /** Where the browser goes in the end; null: the dashboard. */
  returnUrl: string | null;
}

export interface StartedConnection {
  /** Where the owner goes now. */
  url: string;
  state: string;
  redirect_uri: string;
  method: ConnectMethod;
}

/**
 * Throws `platform_account`, `stripe_not_configured`, `connect_client_id_missing`, `stripe_already_connected`, and what
 * Stripe refuses.
 */
export async function startConnection(
  context: ConnectContext,
  scope: TenantScope,
  wanted: WantedConnection,
  act: Act,
): Promise<StartedConnection> {
  const { tenantId, livemode, method } = wanted;
  if (tenantId === context.platformTenant) throw publicError("platform_account");
  if (!context.stripe.has(livemode)) throw publicError("stripe_not_configured");
  const current = await findConnection(scope, wanted);
  if (current !== undefined && !mayStart(current, method)) throw publicError("stripe_already_connected");
  if (method !== "account_link") return startOAuth(context, scope, wanted, act);
  const account = await accountToFinish(context, scope, wanted, current, act);
  return linkTo(context, scope, { ...wanted, account }, act);
}

/** What stands must be disconnected first; an account of ours that lacks something is gone on with. */
function mayStart(current: Connection, method: ConnectMethod): boolean {
  if (current.end !== undefined || isUnfinished(current)) return true;
  return method === "account_link" && current.method === "account_link" && current.status !== "active";
}

async function startOAuth(
  context: ConnectContext,
  scope: TenantScope,
  wanted: WantedConnection,
  act: Act,
): Promise<StartedConnection> {
  const { method, livemode } = wanted;
  const clientId = clientIdOf(context, livemode);
  const redirectUri = callbackUrl(context);
  const state = await newFlow(scope, { ...wanted, account: null, redirectUri }, act);
  return {
    url: authorizeUrl(context, { method, clientId, state, redirectUri }),
    state,
    redirect_uri: redirectUri,
    method,
  };
}

/** An account link for an account that is connected, with a state of its own. */
export async function linkTo(
  context: ConnectContext,
  scope: TenantScope,
  wanted: Omit<WantedConnection, "country" | "method"> & { account: string },
  act: Act,
): Promise<StartedConnection> {
  const { livemode, account } = wanted;
  const redirectUri = callbackUrl(context);
  const state = await newFlow(scope, { ...wanted, method: "account_link", redirectUri }, act);
  const query = `?state=${state}`;
  const { value } = await context.stripe.call(
    { livemode, account: "", idempotencyKey: `billhook-account-link-${account}-${state.slice(0, 16)}` },
    (client, options) =>
      client.accountLinks.create(
        {
          account,
          type: "account_onboarding",
          refresh_url: `${refreshUrl(context)}${query}`,
          return_url: `${redirectUri}${query}`,
        },
        options,
      ),
  );
  return { url: value.url, state, redirect_uri: redirectUri, method: "account_link" };
}

async function newFlow(
  scope: TenantScope,
  flow: Omit<WantedConnection, "country"> & { account: string | null; redirectUri: string },
  act: Act,
): Promise<string> {
  const { tenantId, livemode, method, account } = flow;
  return scope.transaction(async (tx) => {
    const state = await issueState(tx, flow);
    await audit(tx, {
      tenantId,
      ...act,
      action: "stripe.connect_started",
      target: account,
      after: { livemode, method },
    });
    return state;
  });
}

/** The tenant's own account: the one that is not finished, or was let go of only here, else a new one. */
async function accountToFinish(
  context: ConnectContext,
  scope: TenantScope,
  wanted: WantedConnection,
  current: Connection | undefined,
  act: Act,
): Promise<string> {
  if (current !== undefined && current.end === undefined) return current.account;
  const isOurs =
    current?.method === "account_link" && (current.end?.reason === "unlinked" || current.end?.reason === "replaced");
  const back = isOurs ? await connectAgain(context, wanted, current, act) : undefined;
  return back ?? createAccount(context, scope, wanted, act);
}

/** Undefined: Stripe does not let us at this account any more. */
async function connectAgain(
  context: ConnectContext,
  { tenantId, livemode }: WantedConnection,
  { account, method }: Connection,
  act: Act,
): Promise<string | undefined> {
  const fetched = fetchedOf(await fetchAccount(context, { livemode, account }));
  if (fetched === undefined || fetched.object.deleted === true) return undefined;
  const made = { tenantId, livemode, account, method, connectedAt: fetched.asOf, fetched };
  await recordConnection(context, { ...made, action: "stripe.connected" }, act);
  return account;
}

/** Crashed between Stripe's answer and our commit, it gets the same account the next time. */
async function createAccount(
  context: ConnectContext,
  scope: TenantScope,
  { tenantId, livemode, country: wantedCountry }: WantedConnection,
  act: Act,
): Promise<string> {
  const begun = await creationOrAccount(scope, { tenantId, livemode, country: wantedCountry });
  if (typeof begun === "string") return begun;
  const { key, country } = begun;
  const idempotencyKey = `billhook-account-${key}`;
  const given = {
    ...LIKE_STANDARD,
    metadata: { billhook_tenant: tenantId },
    ...(country === null ? {} : { country }),
  };
  const answer = context.stripe.call(
    { livemode, account: "", idempotencyKey, fields: { country: "country" } },
    (client, options) => client.accounts.create(given, options),
  );
  const { value, asOf, apiVersion, replayedAt } = await answer.catch(async (error: unknown) => {
    // Stripe answers this key with the same refusal for a day, also when its reason is gone.
    if (error instanceof StripeCallError && !error.transient) await endCreation(scope, tenantId, key);
    throw error;
  });
  const object = value as unknown as StripeObject;
  const made = {
    tenantId,
    livemode,
    account: value.id,
    method: "account_link",
    connectedAt: secondOf(value, asOf),
  } as const;
  await recordConnection(
    context,
    { ...made, fetched: { object, asOf, apiVersion, replayedAt }, action: "stripe.account_created" },
    act,
    (tx) => endCreation(tx, tenantId, key),
  );
  return value.id;
}

/** The account, when another request has recorded it since we looked: a creation ends in the commit that records its account. */
async function creationOrAccount(
  scope: TenantScope,
  wanted: TenantInMode & { country: string | null },
): Promise<AccountCreation | string> {
  return scope.transaction(async (tx) => {
    const creation = await beginCreation(tx, wanted);
    const now = await findConnection(tx, wanted);
    if (now === undefined || now.end !== undefined) return creation;
    if (!mayStart(now, "account_link")) throw publicError("stripe_already_connected");
    await endCreation(tx, wanted.tenantId, creation.key);
    return now.account;
  });
}

/** Like a standard account: Stripe's dashboard, its own fees and losses, and Stripe asks for what it needs. */
const LIKE_STANDARD = {
  controller: {
    stripe_dashboard: { type: "full" },
    fees: { payer: "account" },
    losses: { payments: "stripe" },
    requirement_collection: "stripe",
  },
  capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
} as const;

// Adding a payment method: a setup intent for the page; once it has succeeded, the customer and its subscriptions are made to use it.
import { readAccount } from "../accounts/account-table.ts";
import {
  claimDueSetups,
  type DueSetup,
  endAttempt,
  findSetupByKey,
  insertSetup,
  type NewSetup,
  recordSetupIntent,
} from "../accounts/payment-method-table.ts";
import { backoff } from "../base/backoff.ts";
import { PublicError, publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { Found } from "../work/claim-loop.ts";
import { mustBeConnected, sellingAccountOf } from "./selling-account.ts";
import { recordStatusId } from "./status-grants.ts";
import { statusUrl } from "./status-url.ts";
import { ACCOUNT_FIELD, askForCustomer, type CustomerContext } from "./stripe-customer.ts";
import { ask, observationOf } from "./subscription-calls.ts";
import { liveSubscriptions } from "./subscription-reads.ts";
import type { SubscriptionContext } from "./subscription-start.ts";

export interface WantedSetup {
  livemode: boolean;
  accountId: string;
  /** The same for each run of one request; undefined: the request is not repeated. */
  requestKey: string | undefined;
}

export interface StartedSetup {
  setupIntentId: string;
  clientSecret: string | null;
  statusUrl: string;
  stripeAccount: string;
}

/** @throws PublicError `stripe_not_connected` */
export async function startSetup(
  context: SubscriptionContext,
  scope: TenantScope,
  wanted: WantedSetup,
): Promise<StartedSetup> {
  if (!context.stripe.has(wanted.livemode)) throw publicError("stripe_not_configured");
  const setup = await setupFor(context, scope, wanted);
  const { tenantId, livemode, id, accountId, stripeAccount } = setup;
  const answer = await askForCustomer(context, scope, setup, (customer) =>
    ask(context.stripe, setup, `${id}:setup:${customer}`, (client, options) =>
      client.setupIntents.create(
        {
          customer,
          usage: "off_session",
          automatic_payment_methods: { enabled: true },
          metadata: { billhook_setup: id, [ACCOUNT_FIELD]: accountId, billhook_tenant: tenantId },
        },
        options,
      ),
    ),
  );
  const { id: setupIntentId, client_secret: clientSecret } = answer.value;
  const grant = { tenantId, livemode, stripeAccount, objectId: setupIntentId };
  await context.database.transaction(async (tx) => {
    await recordSetupIntent(tx, setup, setupIntentId);
    await observe(tx, [observationOf(setup, answer)], context.platformTenant);
    await recordStatusId(tx, { ...grant, accountId });
  });
  context.wake();
  return { setupIntentId, clientSecret, statusUrl: statusUrl(context, grant), stripeAccount };
}

async function setupFor(
  context: SubscriptionContext,
  scope: TenantScope,
  { livemode, accountId, requestKey }: WantedSetup,
): Promise<NewSetup> {
  const { tenantId } = scope;
  return scope.transaction(async (tx) => {
    const known = requestKey === undefined ? undefined : await findSetupByKey(tx, { tenantId, livemode, requestKey });
    if (known !== undefined) return known;
    const stripeAccount = await sellingAccountOf(tx, { tenantId, livemode }, context.platformTenant);
    const setup = { tenantId, livemode, id: newId("pms"), accountId, stripeAccount, requestKey: requestKey ?? null };
    await insertSetup(tx, setup);
    return setup;
  });
}

/** How long one attempt may take, with all its calls. */
const LEASE_SECONDS = 120;
const AT_ONCE = 5;
const BACKOFF = { first: 5_000, factor: 3, max: 3_600_000, jitter: 0.2 };
const MOST_ATTEMPTS = 12;

export interface MethodUse extends CustomerContext {
  log: Log;
}

/** Makes what has been set up the method that is charged, a few accounts at a time. */
export async function useNewMethods(context: MethodUse): Promise<Found> {
  const modes = [true, false].filter((livemode) => context.stripe.has(livemode));
  const due = await context.database.transaction((tx) =>
    claimDueSetups(tx, { modes, limit: AT_ONCE, seconds: LEASE_SECONDS }),
  );
  for (const setup of due) await useMethod(context, setup);
  return due.length === 0 ? "none" : due.length < AT_ONCE ? "some" : "full";
}

async function useMethod(context: MethodUse, setup: DueSetup): Promise<void> {
  const { database, log, wake } = context;
  const { paymentMethodId: method, attempts } = setup;
  try {
    await setDefaults(context, setup, method);
    await endAttempt(database, setup, { state: "used", error: null });
  } catch (error) {
    if (!(error instanceof PublicError)) throw error;
    const final = !(error instanceof StripeCallError && error.transient) || attempts >= MOST_ATTEMPTS;
    const after = Math.max(error.retryAfter ?? 0, backoff(attempts, BACKOFF) / 1000);
    await endAttempt(database, setup, { state: final ? "failed" : "succeeded", error: error.message, after });
    log.warn("a new payment method could not be made the default", {
      ...{ tenant: setup.tenantId, account: setup.accountId, code: error.code, outcome: final ? "failed" : "retry" },
    });
  }
  wake();
}

/** A subscription that has a method of its own would go on being charged to that one. */
async function setDefaults(context: MethodUse, setup: DueSetup, method: string): Promise<void> {
  const { database, stripe, platformTenant } = context;
  const { tenantId, livemode, id, accountId } = setup;
  const account = { tenantId, livemode, accountId };
  await mustBeConnected(database, account, setup.stripeAccount);
  const customer = (await readAccount(database, account, accountId))?.stripeCustomerId ?? null;
  if (customer === null) return;
  const told = async (answer: StripeAnswer<object>): Promise<void> => {
    await observe(database, [observationOf(setup, answer)], platformTenant);
  };
  const settings = { invoice_settings: { default_payment_method: method } };
  await told(
    await ask(stripe, setup, `${id}:default:${customer}`, (client, options) =>
      client.customers.update(customer, settings, options),
    ),
  );
  for (const subscription of await liveSubscriptions(database, account)) {
    await told(
      await ask(stripe, setup, `${id}:default:${subscription.id}`, (client, options) =>
        client.subscriptions.update(subscription.id, { default_payment_method: method }, options),
      ),
    );
  }
}

// How an account stands: from what Stripe's objects say of its customer, whatever came first. Pure.
import type { AccountStatus, PaymentMethod } from "./account-table.ts";

type UnixSeconds = number;

export interface SubscriptionHead {
  id: string;
  status: string | null;
  created: UnixSeconds;
  periodEnd: UnixSeconds | null;
  trialEnd: UnixSeconds | null;
  endedAt: UnixSeconds | null;
  paymentMethodId: string | null;
  sourceId: string | null;
}

export interface CustomerHead {
  email: string | null;
  name: string | null;
  paymentMethodId: string | null;
  sourceId: string | null;
}

export interface SetupHead {
  id: string;
  created: UnixSeconds;
  paymentMethodId: string;
}

/** A payment method, or what was one before there were any: a card or another source. */
export interface MethodHead extends PaymentMethod {
  /** Whose it is; null: it was detached. */
  customerId: string | null;
  deleted: boolean;
}

/** The newest that is known of each object of an account's customer. */
export interface StandingHeads {
  customer: CustomerHead | null;
  subscriptions: readonly SubscriptionHead[];
  /** Setup intents that have succeeded. */
  setups: readonly SetupHead[];
  methods: readonly MethodHead[];
}

/** What of an account is told here and not by Stripe. */
export interface OwnSide {
  customerId: string | null;
  isTrialUser: boolean;
  /** What we were told last, and what the customer at Stripe said then. */
  ownEmail: string | null;
  ownName: string | null;
  settledEmail: string | null;
  settledName: string | null;
}

export interface Standing {
  status: AccountStatus;
  subscriptionId: string | null;
  periodEnd: UnixSeconds | null;
  trialEnd: UnixSeconds | null;
  paymentMethod: PaymentMethod | null;
  email: string | null;
  name: string | null;
}

/**
 * Of several subscriptions the one that allows most says how the account stands. One that never began, because its first
 * payment is open or was given up, does not count. A pause of collection leaves a subscription active, as it does at Stripe.
 */
const STANDINGS: Readonly<Record<string, { status: AccountStatus; rank: number }>> = {
  active: { status: "active", rank: 6 },
  trialing: { status: "trial", rank: 5 },
  past_due: { status: "past_due", rank: 4 },
  unpaid: { status: "unpaid", rank: 3 },
  paused: { status: "paused", rank: 2 },
  canceled: { status: "canceled", rank: 1 },
};

/** Whether a subscription of this status is one that an account has: it is paid for, or may be again. */
export function isLive(status: string | null): boolean {
  return rankOf(status) > 1;
}

/** Whether what was subscribed to may be used: while a payment is overdue Stripe still tries. */
export function isEntitling(status: string | null): boolean {
  return rankOf(status) > 3;
}

const rankOf = (status: string | null): number => STANDINGS[status ?? ""]?.rank ?? 0;

export function standingOf(own: OwnSide, heads: StandingHeads): Standing {
  const subscription = mostTelling(heads.subscriptions);
  const status = STANDINGS[subscription?.status ?? ""]?.status ?? (own.isTrialUser ? "trial" : "active");
  return {
    status,
    subscriptionId: subscription?.id ?? null,
    periodEnd: (status === "canceled" ? subscription?.endedAt : null) ?? subscription?.periodEnd ?? null,
    trialEnd: subscription?.trialEnd ?? null,
    paymentMethod: defaultMethod(own.customerId, subscription, heads),
    email: latest(own.ownEmail, own.settledEmail, heads.customer?.email),
    name: latest(own.ownName, own.settledName, heads.customer?.name),
  };
}

function mostTelling(subscriptions: readonly SubscriptionHead[]): SubscriptionHead | undefined {
  return subscriptions
    .filter(({ status }) => rankOf(status) > 0)
    .sort((a, b) => rankOf(b.status) - rankOf(a.status) || b.created - a.created || (a.id < b.id ? 1 : -1))[0];
}

/** What Stripe charges: the subscription's own method, else the customer's; else the one that was set up last. */
function defaultMethod(
  customerId: string | null,
  subscription: SubscriptionHead | undefined,
  { customer, setups, methods }: StandingHeads,
): PaymentMethod | null {
  const live = subscription !== undefined && isLive(subscription.status) ? subscription : undefined;
  const newestFirst = [...setups].sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1));
  const wanted = [
    ...[live?.paymentMethodId, live?.sourceId, customer?.paymentMethodId, customer?.sourceId],
    ...newestFirst.map(({ paymentMethodId }) => paymentMethodId),
  ];
  for (const id of wanted) {
    if (id === null || id === undefined) continue;
    const known = methods.find((method) => method.id === id);
    // Not seen yet: what it is comes with it.
    if (known === undefined) return { id, type: null, brand: null, last4: null, expMonth: null, expYear: null };
    if (known.deleted || known.customerId !== customerId) continue;
    const { type, brand, last4, expMonth, expYear } = known;
    return { id, type, brand, last4, expMonth, expYear };
  }
  return null;
}

/** What the customer says wins over what we were told, unless it said so before. */
function latest(own: string | null, settled: string | null, said: string | null | undefined): string | null {
  return said === null || said === undefined || said === settled ? own : said;
}

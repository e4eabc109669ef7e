// How an account stands follows Stripe's objects: whatever the order, the duplicates and the cuts, and whenever the account got its customer.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readAccount, recordCustomer, updateProfile } from "../src/accounts/account-table.ts";
import { standingOf, type SubscriptionHead } from "../src/accounts/account-status.ts";
import { openAccount } from "../src/billing/open-account.ts";
import { refreshAccounts } from "../src/inbox/account-standing.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import * as billing from "./support/stripe-fixtures-billing.ts";
import * as payments from "./support/stripe-fixtures-payments.ts";
import { BEGIN, DAY, event, NEW_API, OLD_API, type Overrides } from "./support/stripe-fixtures.ts";

const OWN = { customerId: "cus", isTrialUser: true, ownEmail: "own@x.example", ownName: "Own" };
const NOTHING_SETTLED = { settledEmail: null, settledName: null };
const NO_HEADS = { customer: null, subscriptions: [], setups: [], methods: [] };
const subscription = (status: string, created = 1, more: Partial<SubscriptionHead> = {}): SubscriptionHead => ({
  ...{
    id: `sub_${status}_${String(created)}`,
    status,
    created,
    periodEnd: created + 100,
    trialEnd: null,
    endedAt: null,
  },
  ...{ paymentMethodId: null, sourceId: null, ...more },
});

describe("how an account stands", () => {
  const own = { ...OWN, ...NOTHING_SETTLED };
  const statusOf = (...statuses: string[]) =>
    standingOf(own, { ...NO_HEADS, subscriptions: statuses.map((status) => subscription(status)) }).status;

  it("is what its most allowing subscription says, and one that never began says nothing", () => {
    expect(statusOf()).toBe("trial");
    expect(standingOf({ ...own, isTrialUser: false }, NO_HEADS).status).toBe("active");
    expect(statusOf("incomplete", "incomplete_expired")).toBe("trial");
    expect(statusOf("trialing")).toBe("trial");
    for (const status of ["active", "past_due", "unpaid", "paused", "canceled"]) expect(statusOf(status)).toBe(status);
    expect(statusOf("canceled", "unpaid", "past_due")).toBe("past_due");
    expect(statusOf("canceled", "something_new")).toBe("canceled");
  });

  it("does not depend on the order in which the subscriptions are named", () => {
    const status = fc.constantFrom("active", "trialing", "past_due", "unpaid", "paused", "canceled", "incomplete");
    const subscriptions = fc.array(fc.tuple(status, fc.nat(3)), { maxLength: 5 });
    fc.assert(
      fc.property(subscriptions, fc.nat(4), (made, turn) => {
        const all = made.map(([name, created]) => subscription(name, created));
        const turned = [...all.slice(turn), ...all.slice(0, turn)].reverse();
        expect(standingOf(own, { ...NO_HEADS, subscriptions: turned })).toEqual(
          standingOf(own, { ...NO_HEADS, subscriptions: all }),
        );
      }),
    );
  });

  it("ends with the subscription's own end, once it is canceled", () => {
    const canceled = subscription("canceled", 1, { endedAt: 50 });
    expect(standingOf(own, { ...NO_HEADS, subscriptions: [canceled] }).periodEnd).toBe(50);
  });

  it("takes an address from the customer, unless the customer said the same before we were told another", () => {
    const customer = { email: "new@x.example", name: null, paymentMethodId: null, sourceId: null };
    expect(standingOf(own, { ...NO_HEADS, customer })).toMatchObject({ email: "new@x.example", name: "Own" });
    const settled = { ...own, settledEmail: "new@x.example" };
    expect(standingOf(settled, { ...NO_HEADS, customer }).email).toBe("own@x.example");
  });
});

type Turn =
  "attach" | "detach" | "default" | "setup" | "rename" | "trial" | "subscribe" | "past_due" | "pause" | "cancel";
const TURNS: readonly Turn[] = [
  ...(["attach", "detach", "default", "setup", "rename"] as const),
  ...(["trial", "subscribe", "past_due", "pause", "cancel"] as const),
];
const plan = fc.record({
  turns: fc.array(fc.constantFrom(...TURNS), { minLength: 1, maxLength: 8 }),
  order: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
  twice: fc.nat(12),
  cut: fc.integer({ min: 1, max: 6 }),
  /** After how many of the cuts the account gets its customer. */
  linkedAfter: fc.nat(4),
  old: fc.boolean(),
});

/** What happens to a customer, each in its own second. */
function eventsOf(id: string, turns: readonly Turn[], old: boolean): Arrival[] {
  const of = { customer: `cus_${id}`, sub: `sub_${id}`, pm: `pm_${id}`, seti: `seti_${id}` };
  const arrivals: Arrival[] = [];
  let second = BEGIN;
  const tell = (type: string, object: Record<string, unknown>): void => {
    second += 1;
    const told = event(type, object, {
      id: `evt_${id}_${String(second)}`,
      created: second,
      apiVersion: old ? OLD_API : NEW_API,
    });
    arrivals.push({ event: { ...told } });
  };
  const customer: Overrides = { id: of.customer, email: "first@x.example", name: "First" };
  const settings: Overrides = { custom_fields: null, default_payment_method: null, footer: null };
  const [customerOf, subscriptionOf] = old
    ? [billing.oldCustomer, billing.oldSubscription]
    : [billing.newCustomer, billing.newSubscription];
  const tellCustomer = (type: string): void =>
    tell(type, customerOf({ ...customer, invoice_settings: { ...settings } }));
  const sub = { id: of.sub, customer: of.customer, default_payment_method: null };
  const method = { id: of.pm, customer: of.customer };
  tellCustomer("customer.created");
  for (const turn of turns) {
    switch (turn) {
      case "attach":
        tell("payment_method.attached", payments.newPaymentMethod(method));
        break;
      case "detach":
        settings.default_payment_method = null;
        tell("payment_method.detached", payments.newPaymentMethod({ ...method, customer: null }));
        tellCustomer("customer.updated");
        break;
      case "default":
        settings.default_payment_method = of.pm;
        tellCustomer("customer.updated");
        break;
      case "setup":
        tell(
          "setup_intent.succeeded",
          payments.newSetupIntent({ id: of.seti, customer: of.customer, payment_method: of.pm }),
        );
        break;
      case "rename":
        customer.email = `second${String(second)}@x.example`;
        customer.name = `Second ${String(second)}`;
        tellCustomer("customer.updated");
        break;
      case "trial":
        tell(
          "customer.subscription.updated",
          subscriptionOf({ ...sub, status: "trialing", trial_start: BEGIN, trial_end: BEGIN + 14 * DAY }),
        );
        break;
      case "subscribe":
        tell("customer.subscription.updated", subscriptionOf({ ...sub, default_payment_method: of.pm }));
        break;
      case "past_due":
        tell("customer.subscription.updated", subscriptionOf({ ...sub, status: "past_due" }));
        break;
      case "pause":
        tell("customer.subscription.paused", subscriptionOf({ ...sub, status: "paused" }));
        break;
      case "cancel":
        tell("customer.subscription.deleted", subscriptionOf({ ...sub, status: "canceled", ended_at: second }));
    }
  }
  return arrivals;
}

function shuffled(all: readonly Arrival[], order: readonly number[], twice: number): Arrival[] {
  return [...all, ...all.slice(0, twice % (all.length + 1))]
    .map((arrival, place) => ({ arrival, key: order[place % order.length] ?? 0, place }))
    .sort((a, b) => a.key - b.key || a.place - b.place)
    .map(({ arrival }) => arrival);
}

describe.each(BOTH)("accounts behind the pipe, %s database", (kind) => {
  let pipe: Pipe;
  let lives = 0;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  const mode = () => ({ tenantId: pipe.platformTenant, livemode: false });
  const profile = { externalId: null, email: "own@x.example", name: "Own", metadata: {}, lowThreshold: null };
  const open = async (): Promise<string> =>
    (await pipe.database.transaction((tx) => openAccount(tx, mode(), profile, 0))).id;
  const link = (accountId: string, customerId: string): Promise<unknown> =>
    pipe.database.transaction(async (tx) => {
      await recordCustomer(tx, mode(), accountId, { stripeAccount: "", customerId, instead: null });
      await refreshAccounts(tx, [{ ...mode(), accountId }]);
    });
  const take = async (arrivals: readonly Arrival[]): Promise<void> => {
    await pipe.arrive(arrivals);
    await pipe.drain();
  };
  const standing = async (accountId: string, suffix: string): Promise<unknown> => {
    const account = await readAccount(pipe.database, mode(), accountId);
    const { status, subscriptionId, periodEnd, trialEnd, paymentMethod, email, name } = account ?? {};
    const told = { status, subscriptionId, periodEnd, trialEnd, paymentMethod, email, name };
    return JSON.parse(JSON.stringify(told).replaceAll(suffix, ""));
  };

  it("any order, repetition and cut of a customer's events ends in the same standing, whenever the account was linked", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ turns, order, twice, cut, linkedAfter, old }) => {
        lives += 1;
        const [one, two] = [`a${String(lives)}`, `b${String(lives)}`];
        const [inOrder, mixed] = [await open(), await open()];
        await link(inOrder, `cus_${one}`);
        for (const arrival of eventsOf(one, turns, old)) await take([arrival]);
        const all = shuffled(eventsOf(two, turns, old), order, twice);
        let cuts = 0;
        for (let from = 0; from < all.length; from += cut, cuts += 1) {
          if (cuts === linkedAfter) await link(mixed, `cus_${two}`);
          await take(all.slice(from, from + cut));
        }
        if (cuts <= linkedAfter) await link(mixed, `cus_${two}`);
        expect(await standing(mixed, two)).toEqual(await standing(inOrder, one));
      }),
      { numRuns: kind === "embedded" ? 15 : 25 },
    );
  }, 120_000);

  it("an address that the tenant has changed stays until the customer at Stripe says another one", async () => {
    const accountId = await open();
    const customer = (second: number, email: string): Arrival => ({
      event: {
        ...event("customer.updated", billing.newCustomer({ id: "cus_own", email }), { created: BEGIN + second }),
      },
    });
    await link(accountId, "cus_own");
    await take([customer(1, "stripe@x.example")]);
    await updateProfile(pipe.database, mode(), accountId, { email: "patched@x.example" });
    await take([customer(2, "stripe@x.example")]);
    expect(await standing(accountId, "-")).toMatchObject({ email: "patched@x.example" });
    await take([customer(3, "later@x.example")]);
    expect(await standing(accountId, "-")).toMatchObject({ email: "later@x.example" });
  });

  it("another tenant's event with the same customer's id changes nothing", async () => {
    const accountId = await open();
    await link(accountId, "cus_mine");
    const { tenantId } = mode();
    const stolen = billing.newSubscription({ id: "sub_forged", customer: "cus_mine" });
    await pipe.arrive([{ event: { ...event("customer.subscription.created", stolen, { account: "acct_other" }) } }]);
    await pipe.drain();
    expect(await standing(accountId, "-")).toMatchObject({ status: "trial", subscriptionId: null });
    expect(tenantId).toBe(pipe.platformTenant);
  });

  it("two nodes that write two objects of one customer at once both count", async () => {
    if (kind === "embedded") return;
    for (let round = 0; round < 10; round += 1) {
      const [accountId, id] = [await open(), `n${String(round)}`];
      await link(accountId, `cus_${id}`);
      await pipe.arrive(eventsOf(id, ["attach", "default", "subscribe", "rename"], false));
      // What another node holds is given back, and comes a little later.
      do await Promise.all([1, 2, 3].map(() => pipe.drain({ batchSize: 1 })));
      while ((await pipe.database.query("select from stripe_event_queue limit 1")).rowCount > 0);
      expect(await standing(accountId, id)).toMatchObject({
        status: "active",
        subscriptionId: "sub_",
        paymentMethod: { id: "pm_", last4: "4242" },
        name: expect.stringMatching(/^Second/) as string,
      });
    }
  }, 30_000);
});

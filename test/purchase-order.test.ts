// Payments that nobody here asked for, whatever the order, the duplicates and the nodes beside: each buyer once, each credit once.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { recordCustomer } from "../src/accounts/account-table.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { type BuyerContext, resolveDueBuyers } from "../src/billing/buyers.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import { processOnce } from "../src/inbox/process.ts";
import { insertPerson } from "../src/tenants/people.ts";
import type { StripeAccess } from "../src/stripe/access.ts";
import { type Arrival, BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { CREDITS, creditsOf, eventsOf, makeAccount, makePurchase, PRICE, type Turn } from "./support/purchase-lives.ts";
import { UNLIMITED } from "./support/purchase-scene.ts";

const PRICE_ID = "price_pack";

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ what: fc.constant("refund" as const), amount: fc.integer({ min: 1, max: 450 }), fails: fc.boolean() }),
  fc.record({
    what: fc.constant("dispute" as const),
    amount: fc.integer({ min: 1, max: PRICE }),
    ends: fc.constantFrom("open" as const, "won" as const, "lost" as const),
  }),
);

const plan = fc.record({
  sales: fc.array(
    fc.record({
      /** Whose session it is: new: nobody has the address · again: the same new address · known: somebody has it */
      buyer: fc.constantFrom("new" as const, "again" as const, "known" as const, "named" as const, "ours" as const),
      slow: fc.boolean(),
      turns: fc.array(turn, { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  twice: fc.nat(20),
  cut: fc.integer({ min: 1, max: 15 }),
  batchSize: fc.integer({ min: 1, max: 20 }),
});

describe.each(BOTH)("on the %s database", (kind) => {
  let pipe: Pipe;
  let buyers: BuyerContext;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    const { database, platformTenant } = pipe;
    await sellPack(pipe);
    const node = {
      frontendUrl: "http://localhost:8000",
      trialCredits: 0,
      newLease: () => newId("node"),
      lineRates: UNLIMITED,
    };
    buyers = { database, platformTenant, stripe: lineItems, log: silentLog, ...node };
  });
  afterAll(async () => pipe.close());

  it("every sale is somebody's or listed, once; a stranger is one person with one mail; the ledger agrees", async () => {
    const { database, platformTenant: tenantId } = pipe;
    await fc.assert(
      fc.asyncProperty(plan, async ({ sales, order, twice, cut, batchSize }) => {
        const run = newId("node").toLowerCase();
        const known = `known.${run}@people.example`;
        await insertPerson(database, {
          id: newId("usr"),
          email: known,
          name: null,
          passwordHash: "x",
          verified: false,
        });
        const named = await makeAccount(database, tenantId);
        const customerId = `cus_${run}`;
        const mode = { tenantId, livemode: false };
        await recordCustomer(database, mode, named, { stripeAccount: "", customerId, instead: null });
        const made: { sessionId: string; buyer: string; credits: number; events: Arrival[] }[] = [];
        for (const [index, { buyer, slow, turns }] of sales.entries()) {
          const ours = buyer === "ours" ? await makePurchase(database, { tenantId, accountId: named }) : undefined;
          const [key, sessionId] = [ours?.id ?? newId("pur"), ours?.sessionId ?? `cs_test_${run}_${String(index)}`];
          const email =
            buyer === "known"
              ? known
              : buyer === "again"
                ? `again.${run}@people.example`
                : `${sessionId}@people.example`;
          const customer = buyer === "named" ? customerId : null;
          const events = eventsOf({ purchaseId: key, sessionId, slow, old: false, turns }).map((arrival) =>
            withBuyer(arrival, { email, customer, reference: ours?.id ?? null }),
          );
          made.push({ sessionId, buyer, credits: creditsOf({ turns }), events });
        }
        const all = made.flatMap(({ events }) => events);
        const arrivals = [...all, ...all.slice(0, twice)]
          .map((arrival, place) => ({ arrival, rank: order[place % order.length] ?? 0 }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ arrival }) => arrival);
        for (let begin = 0; begin < arrivals.length; begin += cut) {
          await pipe.arrive(arrivals.slice(begin, begin + cut));
          const options = pipe.processOptions({ batchSize });
          const nodes = kind === "server" ? 2 : 1;
          await Promise.all([
            ...Array.from({ length: nodes }, () => processOnce(options)),
            ...Array.from({ length: nodes }, () => resolveDueBuyers(buyers)),
          ]);
        }
        await drainAll(pipe);
        while ((await resolveDueBuyers(buyers)) !== "none");
        // Two minutes later.
        await database.query("update unmatched_purchases set settle_at = now() where settle_at is not null");
        while ((await resolveDueBuyers(buyers)) !== "none");

        const { rows } = await database.query<{
          session: string;
          status: string;
          balance: number;
          person: string | null;
        }>({
          text: OUTCOMES,
          values: [`cs_test_${run}%`],
        });
        const outcome = new Map(rows.map((row) => [row.session, row]));
        const again = made
          .filter(({ buyer }) => buyer === "again")
          .map(({ sessionId }) => outcome.get(sessionId)?.status);
        for (const { sessionId, buyer, credits } of made) {
          const found = outcome.get(sessionId);
          if (buyer === "known") expect(found).toMatchObject({ status: "open", balance: 0 });
          if (buyer === "new") expect(found).toMatchObject({ status: "matched", balance: credits });
          if (buyer === "named") expect(found?.status).toBe("matched");
          if (buyer === "ours") expect(found).toBeUndefined();
        }
        // The first one makes the person; the others are by an address that somebody has.
        expect(again.filter((status) => status === "matched")).toHaveLength(Math.min(1, again.length));
        expect(again.filter((status) => status === "open")).toHaveLength(Math.max(0, again.length - 1));
        const theirs = made.filter(({ buyer }) => buyer === "named" || buyer === "ours");
        expect(await balanceOf(pipe, named)).toBe(theirs.reduce((sum, { credits }) => sum + credits, 0));
        const mails = await database.query<{ count: number }>({
          text: "select count(*) as count from mails where template = 'welcome' and cause like $1",
          values: [`welcome:cs_test_${run}%`],
        });
        const strangers = made.filter(({ buyer }) => buyer === "new").length + Math.min(1, again.length);
        expect(mails.rows[0]?.count).toBe(strangers);
      }),
      { numRuns: 25 },
    );
    const differences: unknown[] = [];
    await verifyLedger({ database, onDifference: (difference) => differences.push(difference) });
    expect(differences).toEqual([]);
  });
});

/** Stripe, which knows of every session that one pack was sold. */
const lineItems = {
  has: (livemode: boolean) => !livemode,
  call: async () => ({
    value: { data: [{ price: { id: PRICE_ID }, description: "A hundred", quantity: 1, amount_subtotal: PRICE }] },
  }),
} as unknown as StripeAccess;

function withBuyer(
  arrival: Arrival,
  { email, customer, reference }: { email: string; customer: string | null; reference: string | null },
): Arrival {
  if (!("event" in arrival)) return arrival;
  const event = structuredClone(arrival.event) as { data: { object: Record<string, unknown> } };
  const { object } = event.data;
  if (object.object !== "checkout.session") return arrival;
  Object.assign(object, { client_reference_id: reference, customer, metadata: {} });
  object.customer_details = { email, name: "Ada Buyer" };
  return { event };
}

/** Two workers may deadlock: what was set back for that is due again in half a second, and here at once. */
async function drainAll(pipe: Pipe): Promise<void> {
  for (let left = 20; left > 0; left -= 1) {
    await pipe.drain();
    const { rows } = await pipe.database.query("update stripe_event_queue set next_attempt_at = now() returning seq");
    if (rows.length === 0) return;
  }
  throw new Error("events stay in the queue");
}

async function balanceOf({ database }: Pipe, accountId: string): Promise<number> {
  const text = "select balance from credit_balances where account_id = $1";
  return (await database.query<{ balance: number }>({ text, values: [accountId] })).rows[0]?.balance ?? 0;
}

/** As a sync leaves a pack, from before the lives in the fixtures. */
async function sellPack({ database, platformTenant }: Pipe): Promise<void> {
  const id = newId("pack");
  const values = [platformTenant, id, CREDITS, PRICE, PRICE_ID];
  await database.query({
    text: `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, stripe_product_id, stripe_price_id)
           values ($1, false, $2, 'A hundred', $3, $4, 'usd', 'prod_pack', $5)`,
    values,
  });
  await database.query({
    text: `insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, credits, amount, currency, created_at)
           values ($1, false, '', $5, 'prod_pack', $2, $3, $4, 'usd', '2023-01-01')`,
    values,
  });
}

const OUTCOMES = `
  select found.stripe_session_id as session, found.status, coalesce(balance.balance, 0) as balance, account.person_id as person
  from unmatched_purchases as found
  left join accounts as account on account.id = found.account_id
  left join credit_balances as balance on balance.account_id = found.account_id
  where found.stripe_session_id like $1`;

// What is sold, as the doctor sees it: packs and plans that cannot be bought, and payments that brought nobody credits.
import { check } from "./doctor-check.ts";
import { oneLine } from "./doctor-processing.ts";
import { atMost, type Found, when } from "./doctor-report.ts";

interface OfferRow {
  tenant: string;
  livemode: boolean;
  pack: string;
  name: string;
  reason: string | null;
}

export const offersCheck = check({
  code: "offers",
  title: "Packs and plans",
  needs: "database",
  look: async ({ ask }) => ({
    packs: (await ask.query<OfferRow>(priceless("credit_packs"))).rows,
    plans: (await ask.query<OfferRow>(priceless("plans"))).rows,
  }),
  judge: ({ packs, plans }): Found[] => [
    ...atMost(packs.map((row) => judgeOffer("pack_without_price", row))),
    ...atMost(plans.map((row) => judgeOffer("plan_without_price", row))),
  ],
});

function judgeOffer(code: "pack_without_price" | "plan_without_price", row: OfferRow): Found {
  const reason = row.reason === null ? "" : `: ${oneLine(row.reason).replace(/\.$/, "")}`;
  return { code, subject: row.pack, values: { ...row, livemode: String(row.livemode), reason } };
}

interface PriceRow {
  tenant: string;
  price: string;
  count: number;
}

interface SessionRow {
  tenant: string;
  session: string;
  count: number;
}

export const pricesCheck = check({
  code: "prices",
  title: "Prices that were paid",
  needs: "database",
  look: async ({ ask }) => ({
    prices: (await ask.query<PriceRow>(STRANGE_PRICES)).rows,
    sessions: (await ask.query<SessionRow>(STRANGE_SESSIONS)).rows,
  }),
  judge: ({ prices, sessions }): Found[] => [
    ...atMost(
      prices.map((values): Found => ({ code: "price_without_pack", subject: values.price, values: { ...values } })),
    ),
    ...atMost(
      sessions.map((values): Found => ({
        code: "session_without_pack",
        subject: values.session,
        values: { ...values },
      })),
    ),
  ],
});

interface WaitingRow {
  tenant: string;
  reason: string | null;
  count: number;
  id: string;
  at: Date;
}

/** By unmatched_purchases.reason. */
const WHY: Readonly<Record<string, string>> = {
  no_buyer: "the buyer's address has no account",
  email_known: "the buyer's address has an account that did not ask for it",
  no_email: "they name no e-mail address",
  amount_differs: "what was paid is not the pack's price",
  pack_inactive: "the pack is no longer sold",
  older_than_pack: "they are older than the pack",
  other_items: "other things were bought with them",
  session_missing: "Stripe no longer knows the session",
};

export const purchasesCheck = check({
  code: "purchases",
  title: "Payments that wait",
  needs: "database",
  look: async ({ ask }) => ({
    waiting: (await ask.query<WaitingRow>(WAITING)).rows,
    unresolved: (await ask.query<{ count: number; id: string; reason: string | null }>(UNRESOLVED)).rows[0],
  }),
  judge: ({ waiting, unresolved }): Found[] => [
    ...atMost(
      waiting.map(({ tenant, reason, count, id, at }): Found => {
        const why = WHY[reason ?? ""] ?? "nobody could be found for them";
        const values = { tenant, count, id, why, at: when(at) };
        return { code: "purchases_waiting", subject: id, values, details: { reason, tenant_id: tenant } };
      }),
    ),
    ...(unresolved === undefined
      ? []
      : [
          {
            code: "purchases_unresolved" as const,
            subject: unresolved.id,
            values: { ...unresolved, reason: oneLine(unresolved.reason, "no answer yet") },
          },
        ]),
  ],
});

/** Of those that are sold. One that was just made is being synced. */
function priceless(table: "credit_packs" | "plans"): string {
  return `
  select offer.tenant_id as tenant, offer.livemode, offer.id as pack, offer.name, sync.error_message as reason
  from ${table} as offer
  left join offer_syncs as sync
    on sync.tenant_id = offer.tenant_id and sync.livemode = offer.livemode and sync.offer_id = offer.id
  where offer.active and offer.stripe_price_id is null
    and (sync.error_code is not null or offer.created_at < now() - interval '2 minutes')
  order by offer.tenant_id, offer.id limit 1000`;
}

// Bought beside a pack: a person decides on the whole.
const STRANGE_PRICES = `
  select found.tenant_id as tenant, line.price_id as price, count(*) as count
  from unmatched_purchases as found
  cross join lateral jsonb_to_recordset(coalesce(found.lines, '[]')) as line (price_id text, pack_id text)
  where found.created_at > now() - interval '30 days' and found.status = 'open' and found.reason = 'other_items'
    and line.price_id is not null and line.pack_id is null
  group by found.tenant_id, line.price_id order by count(*) desc, line.price_id limit 200`;

const STRANGE_SESSIONS = `
  select tenant_id as tenant, count(*) as count, (array_agg(stripe_session_id order by id desc))[1] as session
  from unmatched_purchases where status = 'foreign' and created_at > now() - interval '30 days'
  group by tenant_id order by count(*) desc, tenant_id limit 200`;

const WAITING = `
  select tenant_id as tenant, reason, count(*) as count, (array_agg(id order by id))[1] as id, min(created_at) as at
  from unmatched_purchases where status = 'open'
  group by tenant_id, reason order by min(created_at) limit 200`;

const UNRESOLVED = `
  select count(*) over () as count, id, last_error as reason from unmatched_purchases
  where status = 'resolving' and attempts >= 5 order by attempts desc, id limit 1`;

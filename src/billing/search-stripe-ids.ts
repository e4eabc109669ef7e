// What of ours an id of Stripe's stands for, for the search box: the account of a customer or a subscription, an invoice, a
// purchase, what is sold at a price. By indexes alone, and of tables that grow with the tenants; only reads.
import { KNOWN_INVOICE } from "../connections/connected-invoice-table.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantInMode } from "./search-emails.ts";
import { accountColumns, type Hit, HIT, invoiceColumns, offerColumns, purchaseColumns } from "./search-ids.ts";

/** Where the tenant's objects are: "" is the platform's own account. */
export const SELLERS = `(select '' as account union all
  select stripe_account from connections where tenant_id = $1 and livemode = $2) as seller`;
const THEIRS = "one.tenant_id = $1 and one.livemode = $2";

const ofSeller = (table: string, columns: string, column: string): string => `
  select ${columns} from ${SELLERS}
  join ${table} as one on ${THEIRS} and one.stripe_account = seller.account and one.${column} = $3`;

const purchaseBy = (column: string): Look => ({
  kind: "credit_purchase",
  sql: ofSeller("credit_purchases", purchaseColumns("one"), column),
});

/** A tenant has few. */
const offersBy = (column: string): Look[] => [
  { kind: "plan", sql: `select ${offerColumns("one")} from plans as one where ${THEIRS} and one.${column} = $3` },
  {
    kind: "credit_pack",
    sql: `select ${offerColumns("one")} from credit_packs as one where ${THEIRS} and one.${column} = $3`,
  },
];

interface Look {
  kind: string;
  /** In a tenant: $1 the tenant, $2 the mode, $3 the id. In all of them: $1 the id. */
  sql: string;
}

type Looks = Readonly<Record<string, readonly Look[]>>;

const BY_PREFIX: Looks = {
  cus: [
    {
      kind: "account",
      sql: `select ${accountColumns("one")} from accounts as one where ${THEIRS} and one.stripe_customer_id = $3`,
    },
  ],
  sub: [
    {
      kind: "account",
      sql: `
        select ${accountColumns("one")} from ${SELLERS}
        join subscriptions as held on held.livemode = $2 and held.stripe_account = seller.account and held.id = $3
        join accounts as one
          on ${THEIRS} and one.stripe_customer_account = seller.account and one.stripe_customer_id = held.customer_id`,
    },
  ],
  in: [
    {
      kind: "connected_invoice",
      sql: `${ofSeller("connected_invoices", invoiceColumns("one"), "stripe_invoice_id")} and ${KNOWN_INVOICE}`,
    },
  ],
  cs: [purchaseBy("stripe_session_id")],
  pi: [purchaseBy("payment_intent_id")],
  ...{ ch: [purchaseBy("charge_id")], py: [purchaseBy("charge_id")] },
  price: offersBy("stripe_price_id"),
  prod: offersBy("stripe_product_id"),
};

/** Every account that has sold, in each of its modes. */
const ALL_SELLERS = `(select '' as account, true as livemode union all select '', false union all
  select stripe_account, livemode from connections) as seller`;
const MOST = 20;

const ofAnySeller = (table: string, columns: string, column: string): string => `
  select ${columns} from ${ALL_SELLERS}
  join ${table} as one
    on one.livemode = seller.livemode and one.stripe_account = seller.account and one.${column} = $1`;

const anyOffersBy = (column: string): Look[] =>
  [
    ["plan", "plans"],
    ["credit_pack", "credit_packs"],
  ].map(([kind = "", table = ""]) => ({
    kind,
    sql: `select ${offerColumns("one")} from ${table} as one where one.${column} = $1 limit ${MOST}`,
  }));

/** What is ours before Stripe tells of it, if it ever does. */
const ANY_BY_PREFIX: Looks = {
  in: [
    {
      kind: "connected_invoice",
      sql: `${ofAnySeller("connected_invoices", invoiceColumns("one"), "stripe_invoice_id")} and ${KNOWN_INVOICE} limit ${MOST}`,
    },
  ],
  cs: [
    {
      kind: "credit_purchase",
      sql: `${ofAnySeller("credit_purchases", purchaseColumns("one"), "stripe_session_id")} limit ${MOST}`,
    },
  ],
  price: anyOffersBy("stripe_price_id"),
  prod: anyOffersBy("stripe_product_id"),
};

/** In the tenant's scope. */
export async function findOfStripes(tx: Queryable, { tenantId, livemode }: TenantInMode, id: string): Promise<Hit[]> {
  return look(tx, BY_PREFIX, id, [tenantId, livemode, id]);
}

/** In all tenants. */
export async function findAnyOfStripes(database: Queryable, id: string): Promise<Hit[]> {
  return look(database, ANY_BY_PREFIX, id, [id]);
}

/** Of an id of Stripe's; "" has none. */
export function prefixOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf("_")));
}

async function look(tx: Queryable, looks: Looks, id: string, values: readonly unknown[]): Promise<Hit[]> {
  const hits: Hit[] = [];
  const prefix = prefixOf(id);
  for (const { kind, sql } of (Object.hasOwn(looks, prefix) ? looks[prefix] : undefined) ?? []) {
    const { rows } = await tx.query<Partial<Hit> & Pick<Hit, "id" | "title">>({ text: sql, values: [...values] });
    hits.push(...rows.map((row) => ({ ...HIT, kind, ...row })));
  }
  return hits;
}

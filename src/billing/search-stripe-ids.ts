// What of a tenant's own an id of Stripe's stands for, for the search box: the account of a customer or a subscription, an
// invoice, a purchase, what is sold at a price. By indexes alone; only reads.
import { KNOWN_INVOICE } from "../connections/connected-invoice-table.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantInMode } from "./search-emails.ts";
import { accountColumns, type Hit, HIT, invoiceColumns, offerColumns, purchaseColumns } from "./search-ids.ts";

/** Where the tenant's objects are: "" is the platform's own account. */
const SELLERS = `(select '' as account union all
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
  /** $1 the tenant, $2 the mode, $3 the id. */
  sql: string;
}

const BY_PREFIX: Readonly<Record<string, readonly Look[]>> = {
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
  ch: [purchaseBy("charge_id")],
  price: offersBy("stripe_price_id"),
  prod: offersBy("stripe_product_id"),
};

/** In the tenant's scope. */
export async function findOfStripes(tx: Queryable, { tenantId, livemode }: TenantInMode, id: string): Promise<Hit[]> {
  const hits: Hit[] = [];
  for (const { kind, sql } of BY_PREFIX[id.slice(0, id.indexOf("_"))] ?? []) {
    const { rows } = await tx.query<Partial<Hit> & Pick<Hit, "id" | "title">>({
      text: sql,
      values: [tenantId, livemode, id],
    });
    hits.push(...rows.map((row) => ({ ...HIT, kind, ...row })));
  }
  return hits;
}

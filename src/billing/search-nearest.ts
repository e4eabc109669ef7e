// Which object of the tenant's is nearest to one of Stripe's that has no page there, for the search box: the invoice that a refund
// gives money back of, the customer whose card it is. By indexes alone, in the tenant's scope; only reads.
import type { Queryable } from "../db/database.ts";
import type { TenantInMode } from "./search-emails.ts";
import type { Hit } from "./search-ids.ts";
import { findOfStripes, prefixOf, SELLERS } from "./search-stripe-ids.ts";

/** Of a customer's invoices, so many before a payment are asked whether it paid them. */
const LOOKED_AT = 100;

/** What an object names, by its prefix: $1 the tenant, $2 the mode, $3 the id. The nearest column first; null names nothing. */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ["evt", "select object_id, customer_id from stripe_events where tenant_id = $1 and livemode = $2 and id = $3"],
  ...sameFor(["re", "pyr"], named("refunds", "named.payment_intent_id, named.charge_id, named.customer_id")),
  ...sameFor(["dp", "du"], named("disputes", "named.payment_intent_id, named.charge_id")),
  ...sameFor(["ch", "py"], named("charges", "named.payment_intent_id, named.invoice_id, named.customer_id")),
  ["pi", named("payment_intents", `named.invoice_id, ${paidBy()} as paid_invoice_id, named.customer_id`)],
  ["in", named("invoices", "named.customer_id")],
  ["pm", named("payment_methods", "named.customer_id")],
  ["seti", named("setup_intents", "named.customer_id")],
  ["si", named("subscription_items", "named.subscription_id")],
]);

/** What is found first, from the id itself along what it names. */
export async function findNearest(
  tx: Queryable,
  where: TenantInMode,
  id: string,
  seen = new Set<string>(),
): Promise<Hit[]> {
  if (seen.has(id)) return [];
  seen.add(id);
  const own = await findOfStripes(tx, where, id);
  const text = NAMED_BY.get(prefixOf(id));
  if (own.length > 0 || text === undefined) return own;
  const { rows } = await tx.query<Record<string, string | null>>({
    text,
    values: [where.tenantId, where.livemode, id],
  });
  for (const next of rows.flatMap((row) => Object.values(row))) {
    const found = next === null ? [] : await findNearest(tx, where, next, seen);
    if (found.length > 0) return found;
  }
  return [];
}

function named(table: string, columns: string): string {
  return `
    select ${columns} from ${SELLERS}
    join ${table} as named on named.livemode = $2 and named.stripe_account = seller.account and named.id = $3
    where named.tenant_id = $1`;
}

/** Since 2025-03-31 only an invoice payment ties the two, and no index leads to it from its payment. */
function paidBy(): string {
  return `(
    select paid.invoice_id from (
      select invoice.id from invoices as invoice
      where invoice.customer_id = named.customer_id and invoice.stripe_created <= named.stripe_created
        and invoice.livemode = named.livemode and invoice.stripe_account = named.stripe_account and invoice.tenant_id = $1
      order by invoice.stripe_created desc, invoice.id desc limit ${LOOKED_AT}) as sent
    join invoice_payments as paid on paid.invoice_id = sent.id
      and paid.livemode = named.livemode and paid.stripe_account = named.stripe_account and paid.tenant_id = $1
    where paid.payment_intent_id = named.id limit 1)`;
}

function sameFor(prefixes: readonly string[], sql: string): [string, string][] {
  return prefixes.map((prefix) => [prefix, sql]);
}

// The search box: what an id, an external id or the beginning of an e-mail address names. By indexes alone; only reads.
import { isId } from "../base/ids.ts";
import { moneyText } from "../base/money.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { loadLiveRow, type RowValues } from "../inbox/live-rows.ts";
import { findByEmail, findTenantsEmail, tenantsEmailKeys } from "./search-emails.ts";
import { findExternal, findOwn, type Hit, HIT } from "./search-ids.ts";
import { findNearest } from "./search-nearest.ts";
import { findAnyOfStripes } from "./search-stripe-ids.ts";

export type { Hit } from "./search-ids.ts";

const MOST = 20;
/** Of an object's newest events, so many are asked in which modes and accounts the id is. */
const NEWEST = 50;
const SHORTEST = 2;

const STRIPE_ID = /^[A-Za-z][A-Za-z0-9]*_\w+$/;
/** Of coupons, plans and products, whose ids people choose. */
const CHOSEN_ID = /^[\w.-]+$/;

/** In all tenants. */
export async function searchAll(database: Queryable, text: string): Promise<Hit[]> {
  if (isId(text)) return (await findOwn(database, text, { operator: true })).slice(0, MOST);
  const hits = [
    ...(text.length >= SHORTEST && CHOSEN_ID.test(text) ? await findStripe(database, text) : []),
    ...(STRIPE_ID.test(text) ? await findAnyOfStripes(database, text) : []),
    ...(await findExternal(database, text)),
    ...(text.length >= SHORTEST ? await findByEmail(database, text) : []),
  ];
  return hits.slice(0, MOST);
}

/** In one tenant and mode. `finder`: see `tenantsEmailKeys`. */
export async function searchTenant(
  finder: Queryable,
  scope: TenantScope,
  text: string,
  livemode: boolean,
): Promise<Hit[]> {
  const { tenantId } = scope;
  const isOurs = isId(text);
  const keys = isOurs || text.length < SHORTEST ? [] : await tenantsEmailKeys(finder, { tenantId, livemode }, text);
  const hits = await scope.transaction(async (tx) =>
    isOurs
      ? findOwn(tx, text, { operator: false })
      : [
          ...(STRIPE_ID.test(text)
            ? [...(await findNearest(tx, { tenantId, livemode }, text)), ...(await findStripe(tx, text))]
            : []),
          ...(await findExternal(tx, text)),
          ...(text.length < SHORTEST ? [] : await findTenantsEmail(tx, { tenantId, livemode }, text, keys)),
        ],
  );
  return hits.filter((hit) => hit.livemode === null || hit.livemode === livemode).slice(0, MOST);
}

/** An object or an event of Stripe's. */
async function findStripe(tx: Queryable, id: string): Promise<Hit[]> {
  const [text, values] = [id.startsWith("evt_") ? EVENT : id.startsWith("si_") ? ITEM : OBJECT, [id]];
  const { rows } = await tx.query<Found>({ text, values });
  const tenants = id.startsWith("acct_") ? (await tx.query<Hit>({ text: CONNECTED, values })).rows : [];
  const hits = await Promise.all(rows.map((row) => hitOf(tx, row)));
  return [...tenants.map((tenant) => ({ ...HIT, ...tenant, kind: "tenant" })), ...hits];
}

interface Found {
  id: string;
  /** Of an event. */
  title: string | null;
  subtitle: string | null;
  object_type: string;
  livemode: boolean;
  account: string;
  tenant_id: string | null;
}

const KINDS: Readonly<Record<string, string>> = {
  ...{ customer: "customer", subscription: "subscription", invoice: "invoice", payment_intent: "payment" },
  ...{ refund: "refund", dispute: "dispute" },
};

async function hitOf(tx: Queryable, found: Found): Promise<Hit> {
  const { id, livemode, account, object_type: objectType, tenant_id } = found;
  const common = { ...HIT, id, livemode, tenant_id, stripe_account: account === "" ? null : account };
  if (found.title !== null) {
    return { ...common, kind: "stripe_event", title: found.title, subtitle: found.subtitle };
  }
  const row = await loadLiveRow(tx, { livemode, account, objectType, objectId: id });
  const [title = id, ...rest] = row === null ? [] : wordsOf(row);
  const kind = KINDS[objectType] ?? "stripe_object";
  return { ...common, kind, title, subtitle: rest.join(", ") || null, object_type: objectType };
}

const NAMES = ["number", "email", "business_name", "name", "nickname", "customer_email", "description"];
const AMOUNTS = ["amount_due", "amount", "amount_total", "unit_amount"];

/** What tells a row to a person: a name, an amount, how it stands. */
function wordsOf(row: RowValues): string[] {
  const named = NAMES.map((column) => row[column]).filter((value) => typeof value === "string" && value !== "");
  const amount = AMOUNTS.map((column) => row[column]).find((value) => typeof value === "number");
  const { currency, status } = row;
  const isMoney = amount !== undefined && typeof currency === "string" && /^[A-Za-z]{3}$/.test(currency);
  return [
    ...(named.slice(0, 2) as string[]),
    ...(isMoney && Number.isSafeInteger(amount) ? [moneyText(amount, currency)] : []),
    ...(typeof status === "string" ? [status] : []),
  ];
}

const FOUND = `event.object_type, event.livemode, event.stripe_account as account, event.tenant_id`;

const EVENT = `
  select event.id, event.type as title, event.object_id as subtitle, ${FOUND}
  from stripe_events as event where event.id = $1 limit ${MOST}`;

const OBJECT = `
  select distinct on (event.livemode, event.stripe_account, event.object_type)
         event.object_id as id, null as title, null as subtitle, ${FOUND}
  from (select * from stripe_events where object_id = $1 order by created desc limit ${NEWEST}) as event
  order by event.livemode desc, event.stripe_account, event.object_type limit ${MOST}`;

const ITEM = `
  select item.subscription_id as id, null as title, null as subtitle, 'subscription' as object_type, item.livemode,
         item.stripe_account as account, item.tenant_id
  from subscription_items as item where item.id = $1 limit ${MOST}`;

const CONNECTED = `
  select tenant.id, tenant.company_name as title, 'connected: ' || connection.status as subtitle, connection.livemode,
         connection.stripe_account, tenant.id as tenant_id
  from (values (true), (false)) as mode (livemode)
  join connections as connection on connection.livemode = mode.livemode and connection.stripe_account = $1
  join tenants as tenant on tenant.id = connection.tenant_id`;

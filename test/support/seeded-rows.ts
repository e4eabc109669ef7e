// Many rows in a database, made by the server itself: a platform with tenants, a month of Stripe events and what became of them.
// For lists that must stay quick whatever the number of rows; the shapes are those that the pipe writes, the money is no one's.
import type { Database } from "../../src/db/database.ts";

export interface Seeded {
  platformTenant: string;
  /** A tenant with a connected account; of its accounts the first one. */
  tenant: string;
  account: string;
  connectedAccount: string;
  /** Named by a tenth of all events. */
  whale: string;
  /** The newest of each. */
  eventId: string;
  invoiceId: string;
}

export interface SeedSize {
  /** Stripe events; half of them are told and delivered. */
  events: number;
  invoices: number;
  /** Of a payload, in bytes; 320 unless it is set. Real ones have some thousand. */
  payloadBytes?: number;
}

const TENANTS = 20;
const CONNECTED = "acct_seeded1";
const DAYS = 30;

/** The database has its schema and its platform tenant, and nothing else. */
export async function seedRows(
  database: Database,
  platformTenant: string,
  { events, invoices, payloadBytes = 320 }: SeedSize,
  now = Math.floor(Date.now() / 1000),
): Promise<Seeded> {
  const customers = Math.max(100, Math.floor(invoices / 10));
  const filler = Math.ceil(payloadBytes / 32);
  const values = { events, invoices, customers, filler, now, begin: now - DAYS * 86_400, platform: platformTenant };
  await database.query(OWN_ID);
  for (const statement of [...PEOPLE, ...PROJECTIONS, ...CREDITS, ...TOLD]) {
    await database.query(
      statement.replaceAll(/:(\w+)/g, (text, name: string) =>
        Object.hasOwn(values, name) ? literal(values[name as keyof typeof values]) : text,
      ),
    );
  }
  await database.query("drop function seeded_id(text, bigint, bigint)");
  await database.query("vacuum analyze");
  const one = async (sql: string): Promise<string> =>
    (await database.query<{ id: string }>(sql)).rows[0]?.id ?? "nothing";
  const tenant = await one("select id from tenants where not platform order by id limit 1");
  return {
    platformTenant,
    tenant,
    account: await one(`select id from accounts where tenant_id = '${platformTenant}' order by id limit 1`),
    connectedAccount: CONNECTED,
    whale: "cus_seeded0",
    eventId: await one("select id from stripe_events order by created desc, id desc limit 1"),
    invoiceId: await one(
      "select object_id as id from stripe_events where object_type = 'invoice' order by created desc limit 1",
    ),
  };
}

function literal(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

/** Ids as base/ids.ts makes them, in order. */
const OWN_ID = `
  create function seeded_id(prefix text, milliseconds bigint, number bigint) returns text language sql immutable as $$
    select prefix || '_' || ${Array.from({ length: 10 }, (_, place) => `substr('0123456789abcdefghjkmnpqrstvwxyz', ((milliseconds >> ${String(45 - 5 * place)}) & 31)::int + 1, 1)`).join(" || ")}
      || lpad(number::text, 16, '0') $$`;

const MS = (n: string, of: string): string =>
  `((:begin + (${n})::bigint * ${String(DAYS * 86_400)} / ${of})::bigint * 1000)`;
const AT = (n: string, of: string): string =>
  `to_timestamp(:begin + (${n})::bigint * ${String(DAYS * 86_400)} / ${of})`;
/** One in twenty belongs to a connected account. */
const ACCOUNT = "case when n % 20 = 19 then 'acct_seeded' || (n % 19 + 1) else '' end";
const TENANT = "case when n % 20 = 19 then (select id from seeded_tenants where place = n % 19 + 1) else :platform end";
const HEAD = "'{}', 0, 0, 0, 'evt_seeded' || n, false";
const HEAD_COLUMNS = "data, head_standing, head_created, head_kind, head_event_id, order_ambiguous";
/** Of which customer: every tenth row is the whale's. */
const CUSTOMER = "'cus_seeded' || case when n % 10 = 0 then 0 else n % :customers end";

const PEOPLE = [
  `insert into tenants (id, company_name, domain)
   select seeded_id('ten', :begin::bigint * 1000, n), 'Tenant ' || n, 'tenant' || n || '.example' from generate_series(1, ${TENANTS - 1}) as n`,
  `create table seeded_tenants as select id, row_number() over (order by id) as place from tenants where not platform`,
  `insert into connections (livemode, stripe_account, tenant_id, status)
   select false, 'acct_seeded' || place, id, 'active' from seeded_tenants`,
  `insert into people (id, email, name, password_hash)
   select seeded_id('usr', :begin::bigint * 1000, n), 'person' || n || '@seeded.example', 'Person ' || n, 'x'
   from generate_series(1, 1000) as n`,
  `insert into memberships (tenant_id, person_id, role)
   select id, seeded_id('usr', :begin::bigint * 1000, place), 'owner' from seeded_tenants`,
  `insert into accounts (tenant_id, livemode, id, external_id, email, name, stripe_customer_id, status)
   select :platform, false, seeded_id('acc', ${MS("n", ":customers")}, n), 'ext-' || n, 'customer' || n || '@seeded.example',
          'Customer ' || n, 'cus_seeded' || n, 'active' from generate_series(0, :customers - 1) as n`,
  `insert into webhook_endpoints (tenant_id, id, url, secret_sealed)
   select id, seeded_id('whe', :begin::bigint * 1000, row_number() over ()), 'https://hooks.example/' || id, 'x' from tenants`,
  `insert into mails (id, tenant_id, cause, template, recipient, status)
   select seeded_id('mail', ${MS("n", ":customers")}, n), :platform, 'seeded:' || n, 'purchase_receipt',
          'customer' || n || '@seeded.example', 'kept' from generate_series(0, :customers - 1) as n`,
  `insert into audit_log (id, tenant_id, actor_kind, action)
   select seeded_id('aud', ${MS("n", ":customers")}, n), :platform, 'system', 'member.changed' from generate_series(0, :customers - 1) as n`,
];

const PROJECTIONS = [
  `insert into customers (livemode, stripe_account, id, tenant_id, deleted, stripe_created, email, name, ${HEAD_COLUMNS})
   select false, '', 'cus_seeded' || n, :platform, false, ${AT("n", ":customers")}, 'customer' || n || '@seeded.example',
          'Customer ' || n, ${HEAD} from generate_series(0, :customers - 1) as n`,
  `insert into subscriptions (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, customer_id, currency, ${HEAD_COLUMNS})
   select false, ${ACCOUNT}, 'sub_seeded' || n, ${TENANT}, false, ${AT("n", ":customers")},
          case when n % 50 = 3 then 'past_due' when n % 7 = 1 then 'canceled' else 'active' end, 'cus_seeded' || n, 'usd', ${HEAD}
   from generate_series(0, :customers - 1) as n`,
  `insert into invoices (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, number, currency, total, amount_due,
                         amount_paid, customer_id, customer_email, ${HEAD_COLUMNS})
   select false, ${ACCOUNT}, 'in_seeded' || n, ${TENANT}, false, ${AT("n", ":invoices")},
          case when n % 5000 = 7 then 'uncollectible' when n % 20 = 1 then 'open' else 'paid' end, 'SEED-' || n, 'usd', 1000 + n % 900,
          1000 + n % 900, 1000 + n % 900, ${CUSTOMER}, 'customer' || n % :customers || '@seeded.example', ${HEAD}
   from generate_series(0, :invoices - 1) as n`,
  `insert into payment_intents (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, currency, amount, customer_id, ${HEAD_COLUMNS})
   select false, ${ACCOUNT}, 'pi_seeded' || n, ${TENANT}, false, ${AT("n", ":invoices")},
          case when n % 5000 = 7 then 'canceled' else 'succeeded' end, 'usd', 1000 + n % 900, ${CUSTOMER}, ${HEAD}
   from generate_series(0, :invoices - 1) as n`,
  `insert into charges (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, currency, amount, amount_captured,
                        amount_refunded, captured, disputed, customer_id, payment_intent_id, application_fee_amount, ${HEAD_COLUMNS})
   select false, ${ACCOUNT}, 'ch_seeded' || n, ${TENANT}, false, ${AT("n", ":invoices")}, 'succeeded', 'usd', 1000 + n % 900,
          1000 + n % 900, case when n % 20 = 0 then 100 else 0 end, true, n % 100 = 0, ${CUSTOMER}, 'pi_seeded' || n,
          case when n % 20 = 19 then 150 end, ${HEAD} from generate_series(0, :invoices - 1) as n`,
  `insert into refunds (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, currency, amount, charge_id, payment_intent_id, ${HEAD_COLUMNS})
   select false, '', 're_seeded' || n, :platform, false, ${AT("n", ":invoices")}, case when n % 5000 = 40 then 'failed' else 'succeeded' end,
          'usd', 100, 'ch_seeded' || n, 'pi_seeded' || n, ${HEAD} from generate_series(0, :invoices - 1, 20) as n`,
  `insert into disputes (livemode, stripe_account, id, tenant_id, deleted, stripe_created, status, currency, amount, charge_id, payment_intent_id, ${HEAD_COLUMNS})
   select false, '', 'dp_seeded' || n, :platform, false, ${AT("n", ":invoices")}, case when n % 1000 = 0 then 'needs_response' else 'won' end,
          'usd', 1000, 'ch_seeded' || n, 'pi_seeded' || n, ${HEAD} from generate_series(0, :invoices - 1, 100) as n`,
  `insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, customer_email, currency, items, total, status, stripe_invoice_id)
   select (select id from seeded_tenants where place = n % 19 + 1), seeded_id('cinv', ${MS("n", ":customers")}, n), false,
          'acct_seeded' || (n % 19 + 1), 'billhook', 'payer' || n || '@seeded.example', 'usd', '[]', 1000, 'paid', 'in_connected' || n
   from generate_series(0, :customers - 1) as n`,
  // One tenant has as many as the platform has invoices.
  `insert into connected_invoices (tenant_id, id, livemode, stripe_account, origin, customer_email, currency, items, total, status, stripe_invoice_id)
   select :platform, seeded_id('cinv', ${MS("n", ":invoices")}, :customers + n), false, 'acct_seeded1', 'billhook',
          'payer' || n % 1000 || '@seeded.example', 'usd', '[]', 1000,
          case when n % 1000 = 0 then 'void' when n % 50 = 1 then 'pending' else 'paid' end, 'in_of_platform' || n
   from generate_series(0, :invoices - 1) as n`,
];

/** What tenants sell: ten thousand plans and packs, of which the platform has a hundred and three. */
const SELLER = "case when n % 100 = 0 then :platform else (select id from seeded_tenants where place = n % 19 + 1) end";

const CREDITS = [
  `insert into plans (tenant_id, livemode, id, name, amount, currency, billing_interval, stripe_product_id, stripe_price_id)
   select ${SELLER}, false, seeded_id('pln', :begin::bigint * 1000, n), 'Plan ' || n, 1000, 'usd', 'month', 'prod_plan' || n, 'price_plan' || n
   from generate_series(1, 10000) as n`,
  `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, stripe_product_id, stripe_price_id)
   select (select id from seeded_tenants where place = n % 19 + 1), false, seeded_id('pack', :begin::bigint * 1000, n), 'Pack ' || n, 100, 1000,
          'usd', 'prod_pack' || n, 'price_pack' || n from generate_series(4, 10000) as n`,
  `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency)
   select :platform, false, seeded_id('pack', :begin::bigint * 1000, n), 'Pack ' || n, 100, 1000, 'usd' from generate_series(1, 3) as n`,
  `insert into credit_balances (tenant_id, livemode, account_id, balance) select tenant_id, livemode, id, 100 from accounts`,
  `insert into credit_purchases (tenant_id, livemode, id, account_id, pack_id, credits, amount, currency, stripe_account,
                                 stripe_session_id, payment_intent_id, state, postings, created_at)
   select :platform, false, seeded_id('pur', ${MS("n", ":invoices")}, n),
          seeded_id('acc', ${MS("n % :customers", ":customers")}, n % :customers), seeded_id('pack', :begin::bigint * 1000, 1 + n % 3), 100, 1000,
          'usd', '', 'cs_seeded' || n, 'pi_bought' || n, 'paid', 1, ${AT("n", ":invoices")} from generate_series(0, :invoices - 1, 2) as n`,
  `insert into credit_entries (tenant_id, livemode, account_id, id, kind, amount, balance_after, source, reason, created_at)
   select :platform, false, seeded_id('acc', ${MS("n % :customers", ":customers")}, n % :customers), seeded_id('crd', ${MS("n", ":invoices")}, n),
          case when n % 2 = 0 then 'grant' else 'spend' end, case when n % 2 = 0 then 10 else -10 end, 100, 'seeded#' || n, 'seeded',
          ${AT("n", ":invoices")} from generate_series(0, :invoices - 1) as n`,
];

const TYPES = `(array['invoice.paid', 'invoice.created', 'invoice.finalized', 'payment_intent.succeeded', 'charge.succeeded',
  'customer.updated', 'customer.subscription.updated', 'invoice.updated', 'invoice_payment.paid', 'payment_intent.created'])[n % 10 + 1]`;
const OBJECT = `case n % 10 when 3 then 'payment_intent' when 9 then 'payment_intent' when 4 then 'charge' when 5 then 'customer'
  when 6 then 'subscription' when 8 then 'invoice_payment' else 'invoice' end`;
const OBJECT_ID = `case n % 10 when 3 then 'pi' when 9 then 'pi' when 4 then 'ch' when 5 then 'cus' when 6 then 'sub' when 8 then 'inpay' else 'in' end
  || '_seeded' || case when n % 10 <> 5 then n % :invoices when n % 100 = 5 then 0 else n % :customers end`;

const TOLD = [
  `insert into stripe_events (created, id, source, type, livemode, stripe_account, api_version, object_type, object_id, customer_id, email, tenant_id, payload)
   select :begin + n::bigint * ${String(DAYS * 86_400)} / :events, 'evt_seeded' || n, 'webhook',
          case when n % 20000 = 17 then 'customer.deleted' else ${TYPES} end, false, ${ACCOUNT}, '2025-09-30.clover', ${OBJECT}, ${OBJECT_ID},
          ${CUSTOMER}, case when n % 10 = 5 then 'customer' || n % :customers || '@seeded.example' end, ${TENANT},
          format('{"id":"evt_seeded%s","object":"event","type":"%s","data":{"object":{"id":"%s","object":"%s","status":"paid","amount_due":1000,"currency":"usd","filler":"%s"}}}',
                 n, ${TYPES}, ${OBJECT_ID}, ${OBJECT}, repeat(md5(n::text), :filler))
   from generate_series(0, :events - 1) as n`,
  `insert into stripe_event_outcomes (created, event_id, status, livemode, stripe_account)
   select created, id, case when substr(id, 11)::bigint % 400 = 0 then 'failed' else 'ignored' end, livemode, stripe_account
   from stripe_events where substr(id, 11)::bigint % 100 = 0`,
  `insert into events (tenant_id, livemode, id, type, created, created_at, api_version, object_type, object_id, object)
   select ${TENANT}, false, seeded_id('msg', ${MS("n", ":events")}, n), 'invoice.paid', ${AT("n", ":events")}, ${AT("n", ":events")}, '1',
          'invoice', 'in_seeded' || (n % :invoices), '{}' from generate_series(0, :events - 1, 2) as n`,
  `insert into deliveries (tenant_id, livemode, id, endpoint_id, event_id, status, attempts, created_at, ended_at)
   select told.tenant_id, told.livemode, 'dlv_' || substr(told.id, 5), endpoint.id, told.id,
          case when substr(told.id, 15)::bigint % 1000 = 0 then 'failed' else 'delivered' end, 1, told.created_at, told.created_at
   from events as told join webhook_endpoints as endpoint on endpoint.tenant_id = told.tenant_id order by told.id`,
  `insert into facts (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id, event_id)
   select ${TENANT}, false, 'invoice.paid', 'seeded' || n, '', 'invoice', 'in_seeded' || (n % :invoices), ${AT("n", ":events")},
          'evt_seeded' || n, seeded_id('msg', ${MS("n", ":events")}, n) from generate_series(0, :events - 1, 2) as n`,
  `drop table seeded_tenants`,
];

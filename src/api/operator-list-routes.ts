// The operator's lists over all tenants: purchases of credits, tenants, people, and the accounts of one e-mail address.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import {
  accountsOfEmail,
  type ListedRow,
  type ListFilter,
  listPeople,
  listPurchases,
  listTenants,
} from "../billing/operator-lists.ts";
import type { Queryable } from "../db/database.ts";
import type { Page } from "../inbox/list-query.ts";
import { knownEmail } from "./people-fields.ts";
import { id, idParams, isoTime, listOf, pageFields, rangeFields, scopeFields, searchText } from "./query-fields.ts";
import { type Operation, operation } from "./route.ts";

const TAG = "Operator";

const text = z.string().nullable();
const tenantFields = { tenant: id.optional(), livemode: scopeFields.livemode };

const Purchase = z
  .strictObject({
    id: z.string(),
    tenant_id: z.string(),
    livemode: z.boolean(),
    account_id: z.string(),
    account_email: text,
    pack_id: text,
    credit_pack: text.meta({ description: "Its name." }),
    quantity: z.int(),
    credits: z.int(),
    price: z.int().meta({ description: "Of all packs together, in the smallest unit of the currency." }),
    currency: z.string(),
    state: z.enum(["pending", "paid", "canceled"]),
    stripe_session_id: text,
    payment_intent_id: text,
    charge_id: text,
    stripe_account: text.meta({ description: "null: the platform's own." }),
    created_at: isoTime,
    settled_at: isoTime.nullable(),
  })
  .meta({ id: "ListedPurchase" });

const Tenant = z
  .strictObject({
    id: z.string(),
    company_name: z.string(),
    domain: text,
    platform: z.boolean(),
    application_fee_percent: z.number().nullable().meta({ description: "null: that of the configuration." }),
    members: z.int(),
    stripe_account_live: text,
    stripe_status_live: text.meta({ description: "null: not connected." }),
    stripe_account_test: text,
    stripe_status_test: text,
    created_at: isoTime,
  })
  .meta({ id: "ListedTenant" });

const Person = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    name: text,
    email_verified: z.boolean(),
    tenants: z.array(z.strictObject({ id: z.string(), role: z.string() })),
    created_at: isoTime,
  })
  .meta({ id: "ListedUser" });

interface List {
  item: z.ZodObject;
  filters: z.ZodRawShape;
  read: (tx: Queryable, filter: ListFilter) => Promise<Page<ListedRow>>;
}

const LISTS = {
  "credit-purchases": {
    item: Purchase,
    filters: { ...tenantFields, state: z.enum(["pending", "paid", "canceled"]).optional() },
    read: listPurchases,
  },
  tenants: { item: Tenant, filters: {}, read: listTenants },
  users: { item: Person, filters: {}, read: listPeople },
} satisfies Record<string, List>;

export function operatorListOperation(name: keyof typeof LISTS): Operation {
  const { item, filters, read }: List = LISTS[name];
  const query = z.strictObject({ ...filters, ...rangeFields, text: searchText, ...pageFields });
  return operation({
    tag: TAG,
    query,
    answers: { 200: listOf(item) },
    run: async ({ deps, query: filter }) => {
      const page = await read(deps.database, filter);
      return { ...page, data: page.data.map((row) => wireOf(row, item)) };
    },
  });
}

/** One row of a list, as the list has it. */
export function operatorReadOperation(name: keyof typeof LISTS): Operation {
  const { item, read }: List = LISTS[name];
  return operation({
    tag: TAG,
    params: idParams,
    answers: { 200: item },
    run: async ({ deps, params }) => {
      const { data } = await read(deps.database, { id: params.id, limit: 1 });
      const [row] = data;
      if (row === undefined) throw publicError("not_found");
      return wireOf(row, item);
    },
  });
}

/** The fields that the schema names, with times as texts. */
function wireOf(row: ListedRow, { shape }: z.ZodObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(shape).map((name) => {
      const value = row[name];
      return [name, value instanceof Date ? value.toISOString() : value];
    }),
  );
}

const FoundAccount = z
  .strictObject({
    id: z.string(),
    tenant_id: z.string(),
    company_name: z.string(),
    livemode: z.boolean(),
    external_id: text,
    email: text,
    name: text,
    credit_balance: z.int(),
    is_trial_user: z.boolean(),
    status: z.string(),
    period_end: isoTime.nullable(),
    stripe_customer_id: text,
    person_id: text,
    created_at: isoTime,
    purchases: z.array(Purchase).meta({ description: "The newest ones." }),
  })
  .meta({ id: "FoundAccount" });

const NEWEST_PURCHASES = 10;

export const findAccountsRoute = operation({
  tag: TAG,
  query: z.strictObject({ email: knownEmail, ...tenantFields }),
  answers: { 200: z.strictObject({ data: z.array(FoundAccount) }) },
  run: async ({ deps, query }) =>
    deps.database.transaction(async (tx) => {
      const accounts = await accountsOfEmail(tx, query);
      const data = [];
      for (const account of accounts) {
        const { tenant_id: tenant, livemode, id: text } = account;
        const { data: purchases } = await listPurchases(tx, { tenant, livemode, text, limit: NEWEST_PURCHASES });
        const shown = purchases.map((purchase) => wireOf(purchase, Purchase));
        data.push({ ...wireOf(account, FoundAccount), purchases: shown });
      }
      return { data };
    }),
});

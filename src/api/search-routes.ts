// Routes of the search box: the operator's over everything, a member's over what is the tenant's.
import { z } from "zod";

import { searchAll, searchTenant } from "../billing/search.ts";
import { scopeOf } from "./caller.ts";
import { searchText } from "./query-fields.ts";
import { operation } from "./route.ts";

const KINDS = [
  ...(["account", "tenant", "user", "api_key", "webhook_endpoint", "event", "delivery", "connected_invoice"] as const),
  ...(["credit_entry", "credit_pack", "plan", "credit_purchase", "mail", "stripe_event", "customer"] as const),
  ...(["subscription", "invoice", "payment", "refund", "dispute", "stripe_object", "unmatched_purchase"] as const),
];

const text = z.string().nullable();

const SearchHit = z
  .strictObject({
    kind: z.enum(KINDS),
    id: z.string(),
    title: z.string(),
    subtitle: text,
    livemode: z.boolean().nullable().meta({ description: "null: it belongs to no mode." }),
    stripe_account: text,
    tenant_id: text,
    account_id: text,
    object_type: text.meta({ description: "Of Stripe's objects." }),
  })
  .meta({ id: "SearchHit" });

const query = z.strictObject({
  q: searchText
    .unwrap()
    .meta({ description: "A whole id, ours or Stripe's, a whole external_id, or how an e-mail address begins." }),
});

const answers = { 200: z.strictObject({ data: z.array(SearchHit).meta({ description: "At most 20." }) }) };

export const searchEverything = operation({
  tag: "Search",
  query,
  answers,
  run: async ({ deps, query: { q } }) => ({ data: await searchAll(deps.database, q) }),
});

export const searchOwn = operation({
  tag: "Search",
  query,
  answers,
  run: async (call) => ({
    data: await searchTenant(call.deps.database, scopeOf(call), call.query.q, call.caller.livemode),
  }),
});

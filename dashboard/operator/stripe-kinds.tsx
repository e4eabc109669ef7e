// The lists of Stripe's objects, as the operator sees them: their columns, filters and search.
import type { components } from "../../kit/client/client.ts";
import type { FilterSpec } from "../parts/filters.tsx";
import { IdText } from "../parts/id-text.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import { amount, createdAt, customer, LinkedId, status, stripeAccount, text } from "./cells.tsx";
import { kind } from "./kind-table.tsx";
import { objectPath } from "./object-paths.ts";

type Schemas = components["schemas"];

export const choices = (words: string): { value: string; label: string }[] =>
  words.split(" ").map((value) => ({ value, label: wordOf(value) }));

const statusFilter = (words: string): FilterSpec => ({
  name: "status",
  label: "Status",
  kind: "choice",
  choices: choices(words),
});
export const search: FilterSpec = {
  name: "text",
  label: "Search",
  kind: "text",
  placeholder: "A whole id or e-mail address",
};
const rest: readonly FilterSpec[] = [
  { name: "customer", label: "Customer", kind: "text", placeholder: "Customer, cus_…" },
  { name: "account", label: "Stripe account", kind: "text", placeholder: "Account, or platform" },
  { name: "since", label: "Since", kind: "since" },
  { name: "until", label: "Until", kind: "until" },
  {
    name: "flagged",
    label: "Needs a look",
    kind: "choice",
    choices: [
      { value: "true", label: "Needs a look" },
      { value: "false", label: "Read whole" },
    ],
  },
];

const link = ({ id, account }: { id: string; account: string | null }): string => objectPath(id, { account });

export const customers = kind<Schemas["Customer"]>({
  name: "customers",
  title: "Customers",
  byMode: true,
  filters: [search, ...rest.filter(({ name }) => name !== "customer")],
  columns: [
    { label: "E-mail address", cell: ({ email, name, id }) => email ?? name ?? id },
    { label: "Name", cell: ({ name }) => text(name) },
    { label: "Customer", cell: ({ id }) => <IdText id={id} />, width: 205 },
    stripeAccount,
    createdAt,
  ],
  link,
  minWidth: 900,
  empty: "Stripe tells of a customer when somebody pays, or when one is made there.",
});

export const subscriptions = kind<Schemas["Subscription"]>({
  name: "subscriptions",
  title: "Subscriptions",
  byMode: true,
  filters: [
    search,
    statusFilter("active trialing past_due unpaid incomplete incomplete_expired paused canceled"),
    ...rest,
  ],
  columns: [
    { label: "User", cell: ({ user, customer_id: id }) => user ?? id ?? "–" },
    { label: "Plan", cell: ({ plan_id: id, account }) => <LinkedId id={id} account={account} />, width: 205 },
    status,
    { label: "Subscription", cell: ({ id }) => <IdText id={id} />, width: 205 },
    createdAt,
  ],
  link,
  minWidth: 900,
  empty: "The first one comes with the first plan that somebody subscribes to.",
});

export const invoices = kind<Schemas["Invoice"]>({
  name: "invoices",
  title: "Invoices",
  byMode: true,
  filters: [search, statusFilter("draft open paid uncollectible void"), ...rest],
  columns: [
    { label: "Invoice", cell: ({ id }) => <IdText id={id} plain />, width: 195 },
    customer,
    amount,
    status,
    { label: "Number", cell: ({ number }) => text(number), width: 140 },
    createdAt,
  ],
  link,
  minWidth: 900,
  empty: "Stripe makes one for each period of a subscription; a tenant's own are made by POST /accounts/invoices/.",
});

export const payments = kind<Schemas["Payment"]>({
  name: "payments",
  title: "Payments",
  byMode: true,
  filters: [
    search,
    statusFilter(
      "succeeded processing requires_payment_method requires_confirmation requires_action requires_capture canceled",
    ),
    ...rest,
  ],
  columns: [
    { label: "Payment", cell: ({ id }) => <IdText id={id} plain />, width: 195 },
    customer,
    amount,
    { ...status, width: 195 },
    { label: "Last error", cell: ({ last_payment_error_code: code }) => text(code), width: 150 },
    createdAt,
  ],
  link,
  minWidth: 940,
  empty: "Every try to pay is one: also those that failed.",
});

export const refunds = kind<Schemas["Refund"]>({
  name: "refunds",
  title: "Refunds",
  byMode: true,
  filters: [search, statusFilter("succeeded pending requires_action failed canceled"), ...rest],
  columns: [
    { label: "Refund", cell: ({ id }) => <IdText id={id} plain />, width: 195 },
    customer,
    amount,
    status,
    {
      label: "Payment",
      cell: ({ payment_intent_id: id, charge_id: charge, account }) => <LinkedId id={id ?? charge} account={account} />,
      width: 205,
    },
    createdAt,
  ],
  link,
  minWidth: 940,
  empty: "POST /api/v1/payments/{id}/refund/ makes one, or Stripe's dashboard.",
});

export const disputes = kind<Schemas["Dispute"]>({
  name: "disputes",
  title: "Disputes",
  byMode: true,
  filters: [
    search,
    statusFilter(
      "needs_response under_review won lost warning_needs_response warning_under_review warning_closed prevented",
    ),
    ...rest,
  ],
  columns: [
    { label: "Dispute", cell: ({ id }) => <IdText id={id} plain />, width: 195 },
    customer,
    amount,
    status,
    { label: "Reason", cell: ({ reason }) => (reason === null ? "–" : wordOf(reason)), width: 140 },
    createdAt,
  ],
  link,
  minWidth: 900,
  empty: "Somebody's bank has asked no money back so far.",
});

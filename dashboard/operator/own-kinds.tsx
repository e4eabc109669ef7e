// The lists of what is ours: plans, packs, purchases, tenants, people and mails, as the operator sees them.
import type { components } from "../../kit/client/client.ts";
import type { FilterSpec } from "../parts/filters.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import type { Column } from "../parts/list-table.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { createdAt, LinkedId, text } from "./cells.tsx";
import { kind } from "./kind-table.tsx";
import { choices, search } from "./stripe-kinds.tsx";

type Schemas = components["schemas"];

const tenant: FilterSpec = { name: "tenant", label: "Tenant", kind: "text", placeholder: "Tenant, ten_…" };
const since: FilterSpec = { name: "since", label: "Since", kind: "since" };
const until: FilterSpec = { name: "until", label: "Until", kind: "until" };
const isActive: FilterSpec = {
  name: "is_active",
  label: "Active or not",
  kind: "choice",
  choices: [
    { value: "true", label: "Active" },
    { value: "false", label: "Inactive" },
  ],
};

const atStripe: Column<{ drift: string[]; sync_error: { message: string } | null; sync_pending: boolean }> = {
  label: "At Stripe",
  cell: ({ drift, sync_error: failed, sync_pending: waits }) => {
    if (failed !== null) return <StatusDot status="failed" label="Not told" />;
    if (drift.length > 0) return <StatusDot status="restricted" label={`Differs: ${drift.join(", ")}`} />;
    return waits ? <StatusDot status="pending" label="Waits" /> : <StatusDot status="active" label="The same" />;
  },
  width: 170,
};

const priceOf = ({ amount, currency }: { amount: number; currency: string }) => (
  <MoneyText amount={amount} currency={currency} />
);

const activeOr = (active: boolean) => <StatusDot status={active ? "active" : "inactive"} />;

const ofOffers: FilterSpec = { ...search, placeholder: "Id, key, or part of the name" };

export const plans = kind<Schemas["ListedPlan"]>({
  name: "plans",
  title: "Plans",
  byMode: true,
  filters: [
    ofOffers,
    tenant,
    { name: "billing_interval", label: "Interval", kind: "choice", choices: choices("day week month year") },
    isActive,
  ],
  columns: [
    { label: "Name", cell: ({ name }) => name },
    { label: "Price", cell: priceOf, width: 150, align: "right" },
    {
      label: "Interval",
      cell: ({ billing_interval: interval, interval_count: many }) =>
        many === 1 ? wordOf(interval) : `${many} ${interval}s`,
      width: 110,
    },
    { label: "Active", cell: ({ is_active: active }) => activeOr(active), width: 110 },
    atStripe,
    createdAt,
  ],
  link: ({ id }) => `/operator/plans/${id}`,
  minWidth: 860,
  empty: "These are the platform's: POST /api/v1/plans/ makes one, or `billhook plans sync` brings them from a file.",
});

export const creditPacks = kind<Schemas["ListedPack"]>({
  name: "credit-packs",
  title: "Credit packs",
  byMode: true,
  filters: [ofOffers, tenant, isActive],
  columns: [
    { label: "Name", cell: ({ name }) => name },
    { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 120, align: "right" },
    { label: "Price", cell: priceOf, width: 150, align: "right" },
    { label: "Active", cell: ({ active }) => activeOr(active), width: 110 },
    atStripe,
    createdAt,
  ],
  link: ({ id }) => `/operator/credit-packs/${id}`,
  minWidth: 860,
  empty:
    "These are the platform's: POST /api/v1/credit-packs/ makes one, or `billhook packs sync` brings them from a file.",
});

export const creditPurchases = kind<Schemas["ListedPurchase"]>({
  name: "credit-purchases",
  title: "Credit purchases",
  byMode: true,
  filters: [
    search,
    { name: "state", label: "State", kind: "choice", choices: choices("pending paid canceled") },
    tenant,
    since,
    until,
  ],
  columns: [
    { label: "Buyer", cell: ({ account_email: email, account_id: id }) => email ?? id },
    {
      label: "Pack",
      cell: ({ credit_pack: pack, quantity }) => (quantity > 1 ? `${quantity} × ${pack ?? ""}` : text(pack)),
    },
    { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 110, align: "right" },
    {
      label: "Price",
      cell: ({ price, currency }) => <MoneyText amount={price} currency={currency} />,
      width: 140,
      align: "right",
    },
    { label: "State", cell: ({ state }) => <StatusDot status={state} />, width: 120 },
    createdAt,
  ],
  link: ({ id }) => `/operator/credit-purchases/${id}`,
  minWidth: 900,
  empty: "The first one comes when somebody buys a credit pack.",
});

export const tenants = kind<Schemas["ListedTenant"]>({
  name: "tenants",
  title: "Tenants",
  byMode: false,
  filters: [{ ...search, placeholder: "Id, name, domain or address" }, since, until],
  columns: [
    { label: "Company", cell: ({ company_name: name, platform }) => (platform ? `${name} (the platform)` : name) },
    { label: "Domain", cell: ({ domain }) => text(domain) },
    { label: "Live account", cell: ({ stripe_status_live: live }) => connection(live), width: 140 },
    { label: "Test account", cell: ({ stripe_status_test: test }) => connection(test), width: 140 },
    {
      label: "Fee",
      cell: ({ application_fee_percent: fee }) => (fee === null ? "Default" : `${fee} %`),
      width: 90,
      align: "right",
    },
    { label: "Members", cell: ({ members }) => <Figure value={members} />, width: 100, align: "right" },
    createdAt,
  ],
  link: ({ id }) => `/operator/tenants/${id}`,
  minWidth: 920,
  empty: "A company that registers becomes one.",
});

function connection(status: string | null) {
  return <StatusDot status={status ?? "not_connected"} />;
}

export const users = kind<Schemas["ListedUser"]>({
  name: "users",
  title: "People",
  byMode: false,
  filters: [search, since, until],
  columns: [
    { label: "E-mail address", cell: ({ email }) => email },
    { label: "Name", cell: ({ name }) => text(name) },
    {
      label: "Address",
      cell: ({ email_verified: verified }) => <StatusDot status={verified ? "verified" : "unverified"} />,
      width: 130,
    },
    {
      label: "Tenants",
      cell: ({ tenants: of }) => <Figure value={of.length} />,
      width: 90,
      align: "right",
    },
    { label: "Person", cell: ({ id }) => <IdText id={id} />, width: 205 },
    createdAt,
  ],
  link: ({ id }) => `/operator/people/${id}`,
  minWidth: 900,
  empty: "Who registers or accepts an invitation stands here.",
});

export const mails = kind<Schemas["Mail"]>({
  name: "mails",
  title: "Mails",
  byMode: false,
  filters: [
    { name: "to", label: "To", kind: "text", placeholder: "To: a whole address" },
    { name: "status", label: "Status", kind: "choice", choices: choices("queued sent failed dropped kept") },
    {
      name: "template",
      label: "Mail",
      kind: "choice",
      choices: choices(
        "invite verify_address reset_password welcome credits_added payment_failed trial_ending card_expiring",
      ),
    },
  ],
  columns: [
    { label: "Mail", cell: ({ template }) => wordOf(template) },
    { label: "To", cell: ({ to }) => to },
    { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
    { label: "Tenant", cell: ({ tenant_id: id }) => <LinkedId id={id} />, width: 205 },
    { label: "Written", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
  ],
  link: ({ id }) => `/operator/mails/${id}`,
  minWidth: 860,
  empty: "Invitations, confirmations, receipts: each mail stands here, and without a mail server it is read here.",
});

// The tenant's area: its Stripe account, what it sells and to whom, whom it tells, its keys and its members.
import type { Area, FoundObject, PageSpec } from "../frame/hooks.ts";

type Load = PageSpec["load"];

/** Lists carry an entry in the navigation, pages of one object do not. Members read nearly all of it, without the buttons. */
const page = (
  path: string,
  title: string,
  load: Load,
  { isList = true, who = "member" }: { isList?: boolean; who?: PageSpec["who"] } = {},
): PageSpec => ({
  path,
  title,
  who,
  load,
  ...(isList ? { entry: title } : {}),
});

const one = (path: string, title: string, load: Load): PageSpec => page(path, title, load, { isList: false });

const forAdmins = (path: string, title: string, load: Load, isList = true): PageSpec =>
  page(path, title, load, { isList, who: "admin" });

const at =
  (path: string) =>
  ({ id }: FoundObject): string =>
    `${path}/${encodeURIComponent(id)}`;

export const tenantArea: Area = {
  label: "Tenant",
  ofTenant: true,
  pages: [
    forAdmins("/dashboard/connect", "Stripe account", () => import("./connect-page.tsx")),
    page("/tenant/customers", "Customers", () => import("./customers-page.tsx")),
    one("/tenant/customers/$id", "Customer", () => import("./customer-page.tsx")),
    page("/tenant/invoices", "Connected invoices", () => import("./invoices-page.tsx")),
    forAdmins("/tenant/invoices/new", "New invoice", () => import("./new-invoice-page.tsx"), false),
    one("/tenant/invoices/$id", "Invoice", () => import("./invoice-page.tsx")),
    page("/tenant/plans", "Plans", () => import("./plans-page.tsx")),
    one("/tenant/plans/$id", "Plan", () => import("./plan-page.tsx")),
    page("/tenant/credit-packs", "Credit packs", () => import("./packs-page.tsx")),
    one("/tenant/credit-packs/$id", "Credit pack", () => import("./pack-page.tsx")),
    page("/tenant/events", "Events", () => import("./events-page.tsx")),
    one("/tenant/events/$id", "Event", () => import("./event-page.tsx")),
    page("/dashboard/webhooks", "Webhooks", () => import("./endpoints-page.tsx")),
    one("/dashboard/webhooks/$id", "Webhook endpoint", () => import("./endpoint-page.tsx")),
    page("/tenant/deliveries", "Deliveries", () => import("./deliveries-page.tsx")),
    one("/tenant/deliveries/$id", "Delivery", () => import("./delivery-page.tsx")),
    forAdmins("/tenant/api-keys", "API keys", () => import("./api-keys-page.tsx")),
    page("/tenant/members", "Members", () => import("./members-page.tsx")),
    forAdmins("/tenant/audit-log", "Audit log", () => import("./audit-log-page.tsx")),
  ],
  shows: {
    webhook_endpoint: at("/dashboard/webhooks"),
    event: at("/tenant/events"),
    delivery: at("/tenant/deliveries"),
    connected_invoice: at("/tenant/invoices"),
    api_key: () => "/tenant/api-keys",
    account: at("/tenant/customers"),
    plan: at("/tenant/plans"),
    credit_pack: at("/tenant/credit-packs"),
    credit_entry: ({ account_id: account }) => `/tenant/customers/${account ?? ""}`,
    credit_purchase: ({ account_id: account }) => `/tenant/customers/${account ?? ""}?tab=purchases`,
    // Found by its Stripe account.
    tenant: ({ stripe_account: account }) => (account === null ? undefined : "/dashboard/connect"),
  },
  nearest: { tenant: () => "/tenant/members", user: () => "/tenant/members" },
};

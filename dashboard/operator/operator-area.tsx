// The operator's area: what arrived from Stripe, what became of it, and everything that it is about.
import type { Area, FoundObject, PageSpec } from "../frame/hooks.ts";
import type { KindName } from "./list-page.tsx";

type Load = PageSpec["load"];

const page = (path: string, title: string, load: Load, entry?: string): PageSpec => ({
  path: `/operator/${path}`,
  title,
  who: "operator",
  load,
  ...(entry === undefined ? {} : { entry }),
});

/** Named so that no entry reads like one of the tenant's or of the own account's. */
const listed = (path: string, title: string, name: KindName): PageSpec =>
  page(
    path,
    title,
    () => import("./list-page.tsx").then(({ listPage }) => ({ default: listPage(name, title) })),
    title,
  );

const object = (path: string, title: string, list?: string): PageSpec =>
  page(`${path}/$id`, title, () =>
    import("./object-page.tsx").then(({ objectPage }) => ({
      default: objectPage(list === undefined ? undefined : { label: list, to: `/operator/${path}` }),
    })),
  );

const offer = (path: "plans" | "credit-packs", title: string, list: string): PageSpec =>
  page(`${path}/$id`, title, () =>
    import("./offer-page.tsx").then(({ offerPage }) => ({ default: offerPage(path, list) })),
  );

const scoped = (path: string) => (found: FoundObject) =>
  `/operator/${path}/${encodeURIComponent(found.id)}${found.stripe_account === null ? "" : `?account=${found.stripe_account}`}`;
const own = (path: string) => (found: FoundObject) => `/operator/${path}/${encodeURIComponent(found.id)}`;

export const operatorArea: Area = {
  label: "Operations, all tenants",
  pages: [
    page("overview", "Overview", () => import("./overview-page.tsx"), "Overview"),
    page("stripe-events", "Stripe events", () => import("./stripe-events-page.tsx"), "Stripe events"),
    page("stripe-events/$id", "Stripe event", () => import("./stripe-event-page.tsx")),
    page("queue", "Failed and unrouted", () => import("./queue-page.tsx"), "Failed and unrouted"),
    page("billing-log", "Billing log", () => import("./billing-log-page.tsx"), "Billing log"),
    listed("customers", "Stripe customers", "customers"),
    page("customers/$id", "Customer", () => import("./customer-page.tsx")),
    page("accounts/$id", "Account", () => import("./account-page.tsx")),
    listed("subscriptions", "Subscriptions", "subscriptions"),
    object("subscriptions", "Subscription", "Subscriptions"),
    listed("invoices", "Stripe invoices", "invoices"),
    object("invoices", "Invoice", "Stripe invoices"),
    listed("payments", "Payments", "payments"),
    object("payments", "Payment", "Payments"),
    listed("refunds", "Refunds", "refunds"),
    object("refunds", "Refund", "Refunds"),
    listed("disputes", "Disputes", "disputes"),
    object("disputes", "Dispute", "Disputes"),
    object("objects", "Stripe object"),
    listed("plans", "Tenants’ plans", "plans"),
    offer("plans", "Plan", "Tenants’ plans"),
    listed("credit-packs", "Tenants’ credit packs", "creditPacks"),
    offer("credit-packs", "Credit pack", "Tenants’ credit packs"),
    listed("credit-purchases", "Credit purchases", "creditPurchases"),
    page("credit-purchases/$id", "Credit purchase", () => import("./purchase-page.tsx")),
    page("unmatched-purchases", "Unmatched purchases", () => import("./unmatched-page.tsx"), "Unmatched purchases"),
    page("unmatched-purchases/$id", "Unmatched purchase", () => import("./unmatched-purchase-page.tsx")),
    listed("tenants", "Tenants", "tenants"),
    page("tenants/$id", "Tenant", () => import("./tenant-page.tsx")),
    listed("people", "People", "users"),
    page("people/$id", "Person", () => import("./person-page.tsx")),
    page("events/$id", "Event", () => import("./event-page.tsx")),
    page("deliveries/$id", "Delivery", () => import("./delivery-page.tsx")),
    page("webhook-endpoints/$id", "Webhook endpoint", () => import("./endpoint-page.tsx")),
    page("connected-invoices/$id", "Connected invoice", () => import("./connected-invoice-page.tsx")),
    listed("mails", "Mails", "mails"),
    page("mails/$id", "Mail", () => import("./mail-page.tsx")),
    page("background", "Background work", () => import("./background-page.tsx"), "Background work"),
    page("doctor", "Doctor", () => import("./doctor-page.tsx"), "Doctor"),
  ],
  shows: {
    stripe_event: own("stripe-events"),
    customer: scoped("customers"),
    subscription: scoped("subscriptions"),
    invoice: scoped("invoices"),
    payment: scoped("payments"),
    refund: scoped("refunds"),
    dispute: scoped("disputes"),
    stripe_object: scoped("objects"),
    account: own("accounts"),
    tenant: own("tenants"),
    user: own("people"),
    event: own("events"),
    delivery: own("deliveries"),
    credit_purchase: own("credit-purchases"),
    unmatched_purchase: own("unmatched-purchases"),
    credit_entry: ({ account_id: account }) => `/operator/accounts/${account ?? ""}?kinds=credit_entry`,
    mail: own("mails"),
  },
  // What its tenant's people change on the tenant's own page; others see here what it is, or whose.
  nearest: {
    webhook_endpoint: own("webhook-endpoints"),
    connected_invoice: own("connected-invoices"),
    plan: own("plans"),
    credit_pack: own("credit-packs"),
    api_key: ({ tenant_id: tenant }) => `/operator/tenants/${tenant ?? ""}`,
  },
};

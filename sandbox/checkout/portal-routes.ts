// The routes of the customer portal.
import type Stripe from "stripe";
import { listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import { createConfiguration, createPortalSession, updateConfiguration } from "./portal.ts";

export const portalRoutes: Route[] = [
  route<Stripe.BillingPortal.SessionCreateParams>()("POST /v1/billing_portal/sessions", createPortalSession),
  route<Stripe.BillingPortal.ConfigurationCreateParams>()(
    "POST /v1/billing_portal/configurations",
    createConfiguration,
  ),
  route<Stripe.BillingPortal.ConfigurationListParams>()("GET /v1/billing_portal/configurations", (tx, p) => {
    const wanted = tx.where("billing_portal.configuration", ({ active, is_default }) => {
      return (p.active ?? active) === active && (p.is_default ?? is_default) === is_default;
    });
    return listOf(wanted, "/v1/billing_portal/configurations", p);
  }),
  route()("GET /v1/billing_portal/configurations/*", (tx, _p, id) => tx.get("billing_portal.configuration", id)),
  route<Stripe.BillingPortal.ConfigurationUpdateParams>()("POST /v1/billing_portal/configurations/*", (tx, p, id) =>
    updateConfiguration(tx, id, p),
  ),
];

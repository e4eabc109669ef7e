// The sandbox's whole surface on one page: what each room answers, and what it hears of the others.
import { catalogueRoutes } from "./catalogue/catalogue-routes.ts";
import { checkoutRoutes, openCheckout } from "./checkout/checkout-routes.ts";
import { connectPages } from "./connect/connect-pages.ts";
import { connectRoutes } from "./connect/connect-routes.ts";
import { oauthRoutes } from "./connect/oauth.ts";
import { customerRoutes, openCustomers } from "./customers/customer-routes.ts";
import { controlRoutes } from "./delivery/control.ts";
import { deliveryRoutes, openDeliveries } from "./delivery/delivery-routes.ts";
import { RouteTable } from "./door/route-table.ts";
import type { Surface } from "./door/http-door.ts";
import { extraRoutes } from "./extras/extra-routes.ts";
import { invoiceRoutes, openInvoices } from "./invoices/invoice-routes.ts";
import { pageRoutes } from "./pages/page-routes.ts";
import { payControl } from "./pages/pay-control.ts";
import { openPayments, paymentRoutes } from "./payments/payment-routes.ts";
import { openSubscriptions, subscriptionRoutes } from "./subscriptions/subscription-routes.ts";

/** Made once for the process: the rooms know no state but the world that they are given. */
let surface: Surface | undefined;

export function openSurface(): Surface {
  if (surface !== undefined) return surface;
  // The order in which they hear of each other's changes: money first, then what it pays for.
  openCustomers();
  openPayments();
  openInvoices();
  openSubscriptions();
  openCheckout();
  openDeliveries();
  surface = {
    api: new RouteTable([
      ...customerRoutes,
      ...catalogueRoutes,
      ...paymentRoutes,
      ...invoiceRoutes,
      ...subscriptionRoutes,
      ...checkoutRoutes,
      ...connectRoutes,
      ...deliveryRoutes,
      ...extraRoutes,
    ]),
    oauth: new RouteTable(oauthRoutes),
    pages: new RouteTable([...pageRoutes, ...connectPages]),
    control: new RouteTable([...controlRoutes, ...payControl]),
  };
  return surface;
}

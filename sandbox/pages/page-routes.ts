// Every page of the sandbox that a buyer sees, on one table. The pages of Connect are in its own room.
import { bankPages } from "./bank-page.ts";
import { checkoutPages } from "./checkout-page.ts";
import { homePages } from "./home-page.ts";
import { invoicePages } from "./invoice-page.ts";
import type { PageRoute } from "./page.ts";
import { paymentLinkPages } from "./payment-link-page.ts";
import { portalPages } from "./portal-page.ts";

export const pageRoutes: PageRoute[] = [
  ...homePages,
  ...checkoutPages,
  ...bankPages,
  ...invoicePages,
  ...paymentLinkPages,
  ...portalPages,
];

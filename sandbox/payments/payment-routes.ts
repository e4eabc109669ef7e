// The payments room: all its routes, and what it does by itself as time passes.
import { hooks } from "../core/hooks.ts";
import type { Route } from "../core/route.ts";
import { applicationFeeRoutes } from "./application-fee.ts";
import { balanceRoutes, openBalance } from "./balance.ts";
import { chargeRoutes } from "./charge-routes.ts";
import { disputeRoutes } from "./dispute.ts";
import { mandateRoutes } from "./mandate.ts";
import { openHolds } from "./payment-capture.ts";
import { intentRoutes } from "./payment-intent-routes.ts";
import { paymentMethodRoutes } from "./payment-method-routes.ts";
import { paymentSearchRoutes } from "./payment-search.ts";
import { openSettling } from "./payment-settlement.ts";
import { openPayouts, payoutRoutes } from "./payout.ts";
import { openRefunds, refundRoutes } from "./refund.ts";
import { paymentsDue } from "./schedule.ts";
import { sourceRoutes } from "./source.ts";
import { tokenRoutes } from "./token.ts";
import { openTopups, topupRoutes } from "./topup.ts";
import { transferRoutes } from "./transfer.ts";

export const paymentRoutes: Route[] = [
  // Before the routes of single objects, whose id would be "search".
  ...paymentSearchRoutes,
  ...paymentMethodRoutes,
  ...tokenRoutes,
  ...sourceRoutes,
  ...mandateRoutes,
  ...intentRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...disputeRoutes,
  ...balanceRoutes,
  ...payoutRoutes,
  ...transferRoutes,
  ...applicationFeeRoutes,
  ...topupRoutes,
];

/** Once for the process; a second call does nothing. */
export function openPayments(): void {
  if (hooks.due.includes(paymentsDue)) return;
  hooks.due.push(paymentsDue);
  openBalance();
  openHolds();
  openSettling();
  openRefunds();
  openPayouts();
  openTopups();
}

// Resources beside billing: identity checks, reports, issued cards. As far as Stripe's CLI goes.
import type { Route } from "../core/route.ts";
import { issuingAuthorizationRoutes } from "./issuing-authorization.ts";
import { issuingCardRoutes } from "./issuing-card.ts";
import { reportRoutes } from "./report-run.ts";
import { verificationRoutes } from "./verification-session.ts";

export const extraRoutes: Route[] = [
  ...verificationRoutes,
  ...reportRoutes,
  ...issuingCardRoutes,
  ...issuingAuthorizationRoutes,
];

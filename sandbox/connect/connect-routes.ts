// Every route of Connect: accounts and what belongs to them, links to hosted pages, secrets for clients.
import type { Route } from "../core/route.ts";
import { accountRoutes } from "./account.ts";
import { capabilityRoutes } from "./capability.ts";
import { clientSessionRoutes } from "./client-session.ts";
import { externalAccountRoutes } from "./external-account.ts";
import { hostedLinkRoutes } from "./hosted-link.ts";
import { personRoutes } from "./person.ts";

export const connectRoutes: Route[] = [
  ...accountRoutes,
  ...capabilityRoutes,
  ...personRoutes,
  ...externalAccountRoutes,
  ...hostedLinkRoutes,
  ...clientSessionRoutes,
];

// What the deliveries answer in the API, and what they hear of the other rooms.
import { hooks } from "../core/hooks.ts";
import type { Route } from "../core/route.ts";
import { eventDestinationRoutes } from "./event-destination-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { listenRoutes } from "./listen-session.ts";
import { queueDeliveries } from "./queue-deliveries.ts";
import { webhookEndpointRoutes } from "./webhook-endpoint-routes.ts";

export const deliveryRoutes: Route[] = [
  ...webhookEndpointRoutes,
  ...eventRoutes,
  ...eventDestinationRoutes,
  ...listenRoutes,
];

export function openDeliveries(): void {
  hooks.eventRaised.push(queueDeliveries);
}

// How an endpoint is shown wherever it is named: its state, its types of events, its mode.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { StatusDot } from "./status-dot.tsx";

type Endpoint = components["schemas"]["WebhookEndpoint"];

export function EndpointState({ of }: { of: Endpoint }): ReactNode {
  const { status, disabled_reason: reason, failing_since: failing, url } = of;
  if (status === "disabled") return <StatusDot status="disabled" tone={reason === "by_tenant" ? "quiet" : "bad"} />;
  if (url === null) return <StatusDot status="draft" label="No URL yet" />;
  return failing === null ? <StatusDot status="enabled" /> : <StatusDot status="failing" tone="bad" />;
}

export function eventsOf({ enabled_events: types }: Pick<Endpoint, "enabled_events">): string {
  if (types.includes("*")) return "All";
  return types.length === 1 ? (types[0] ?? "") : `${types.length} types`;
}

export function modeOf({ livemode }: Pick<Endpoint, "livemode">): string {
  if (livemode === null) return "Live and test";
  return livemode ? "Live" : "Test";
}

export const nameOf = ({ url, description }: Pick<Endpoint, "url" | "description">): string =>
  url ?? description ?? "First endpoint";

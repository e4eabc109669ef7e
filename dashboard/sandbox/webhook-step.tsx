// The last of the first steps: a webhook that arrives, at a receiver that the sandbox has, and is seen on the page.
import type { ReactNode } from "react";

import { BillhookError, type BillhookClient } from "../../kit/client/client.ts";
import { useAct, useMembership, useRead } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { LOOK_MS, type Step } from "./first-step.ts";
import { sandboxOrigin, useControl } from "./sandbox-control.ts";

interface Received {
  id: string;
  type: string;
  tenant: string | null;
  /** Unix seconds. */
  created: number | null;
}

const SHOWN = 3;
/** As many as a tenant may have. */
const MOST_ENDPOINTS = 50;

const receiver = (): string => `${sandboxOrigin()}/_sandbox/received`;

export function useWebhookStep(): Step {
  const membership = useMembership();
  const delivered = useRead(
    ["first-steps", "delivered"],
    (api, signal) => api.get("/api/v1/deliveries/", { params: { query: { status: "delivered", limit: 1 } }, signal }),
    { every: LOOK_MS },
  );
  const received = useControl<{ data: Received[] }>("received", { every: LOOK_MS });
  const receive = useAct(sendToReceiver);
  const ours = received.data?.data.filter(({ tenant }) => tenant === membership?.id) ?? [];
  return {
    title: "Receive a webhook",
    text: (
      <>
        <p className="bh-dim">
          The sandbox has a receiver: it becomes an endpoint of {membership?.company_name ?? "the tenant"}, is sent a
          signed test event at once, and from then on what happens. Or add{" "}
          <PageLink to="/dashboard/webhooks">an endpoint of your own</PageLink>.
        </p>
        <ErrorNote error={receive.error ?? (receive.isSuccess ? received.error : null)} />
        <div aria-live="polite">
          <Arrived webhooks={ours} />
        </div>
      </>
    ),
    act: {
      label: ours.length === 0 ? "Receive one" : "Receive another",
      run: () => receive.mutate(undefined),
      isBusy: receive.isPending,
    },
    done: ours.length > 0 || (delivered.data && delivered.data.data.length > 0),
  };
}

function Arrived({ webhooks }: { webhooks: readonly Received[] }): ReactNode {
  if (webhooks.length === 0) return null;
  return (
    <ul className="bh-received" aria-label="Webhooks that arrived">
      {webhooks.slice(0, SHOWN).map(({ id, type, created }) => (
        <li key={id}>
          <span>{type}</span>
          <span className="bh-mono">{id}</span>
          <RelativeTime at={created === null ? null : new Date(created * 1000).toISOString()} />
        </li>
      ))}
    </ul>
  );
}

/** The receiver is made an endpoint once. Throws BillhookError, also when the test event did not arrive. */
async function sendToReceiver(api: BillhookClient): Promise<void> {
  const url = receiver();
  const { data } = await api.get("/api/v1/webhook-endpoints/", { params: { query: { limit: MOST_ENDPOINTS } } });
  const known = data.find((endpoint) => endpoint.url === url);
  const body = { url, description: "The sandbox’s receiver", enabled_events: ["*"], livemode: false };
  const { id } = known ?? (await api.post("/api/v1/webhook-endpoints/", { body }));
  const tried = await api.post("/api/v1/auth/tenants/webhooks/test/", { body: { endpoint_id: id } });
  if (!tried.success)
    throw new BillhookError({ code: "not_received", status: 0, title: "It did not arrive", message: tried.error });
}

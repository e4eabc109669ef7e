// The pipe as it works: what came from Stripe, what became of it, what tenants were told, and how the telling went.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useMembership, useRead, useStanding } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { shortened } from "../parts/id-text.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";

type StripeEvent = components["schemas"]["StripeEvent"];

const LOOK_MS = 1000;
/** As many as one renewal tells: its events fall into one second, in which none is newer than another. */
const SHOWN = 12;
/** Read: of these some wait, and are in the first lane alone. */
const READ = 30;

interface Step {
  key: string;
  type: string;
  /** Of what, shortened. */
  about: string | null;
  at: string | null;
  status?: string;
  to?: string;
}

export function Pipe(): ReactNode {
  const { mode } = useStanding();
  const tenant = useMembership()?.company_name ?? "the tenant";
  const livemode = mode === "live" ? "true" : "false";
  const received = useRead(
    ["pipe", "received"],
    (api, signal) => api.get("/api/v1/admin/stripe-events/", { params: { query: { livemode, limit: READ } }, signal }),
    { every: LOOK_MS },
  );
  const published = useRead(
    ["pipe", "published"],
    (api, signal) => api.get("/api/v1/events/", { params: { query: { limit: SHOWN } }, signal }),
    { every: LOOK_MS },
  );
  const delivered = useRead(
    ["pipe", "delivered"],
    (api, signal) => api.get("/api/v1/deliveries/", { params: { query: { limit: SHOWN } }, signal }),
    { every: LOOK_MS },
  );
  const events = received.data?.data;
  const told = published.data?.data.map(({ id, type, object_id: object, created_at: at }) => ({
    ...{ key: id, type, about: object, at, to: `/tenant/events/${id}` },
  }));
  const sent = delivered.data?.data.map(
    ({ id, event_type: type, endpoint_id: endpoint, ended_at, created_at, status }) => ({
      ...{ key: id, type: type ?? "an event", about: endpoint, at: ended_at ?? created_at },
      ...{ status, to: `/tenant/deliveries/${id}` },
    }),
  );
  return (
    <ol className="bh-pipe">
      <Lane title="Received" about="from Stripe" of={received} steps={events?.map(receivedStep)} none={NOTHING} />
      <Lane
        title="Processed"
        about="into state"
        of={received}
        steps={events?.filter(({ status }) => status !== "pending").map(processedStep)}
        none={NOTHING}
      />
      <Lane title="Published" about={`to ${tenant}`} of={published} steps={told} none="Nothing was told yet." />
      <Lane
        title="Delivered"
        about="to its endpoints"
        of={delivered}
        steps={sent}
        none={<PageLink to="/dashboard/webhooks">Add a webhook endpoint</PageLink>}
      />
    </ol>
  );
}

const NOTHING = "Nothing yet: trigger an event below.";

const receivedStep = ({ id, type, object_id: object, created_at: at }: StripeEvent): Step => ({
  ...{ key: id, type, about: object, at },
  to: `/operator/stripe-events/${id}`,
});

const processedStep = (event: StripeEvent): Step => ({ ...receivedStep(event), status: event.status });

interface LaneProps {
  title: string;
  about: string;
  of: UseQueryResult;
  steps: readonly Step[] | undefined;
  /** Where nothing is in it yet. */
  none: ReactNode;
}

function Lane({ title, about, of, steps, none }: LaneProps): ReactNode {
  return (
    <li>
      <h3>
        {title} <span className="bh-dim">{about}</span>
      </h3>
      {steps === undefined && of.error !== null && <ErrorNote error={of.error} retry={() => void of.refetch()} />}
      {steps?.length === 0 && <p className="bh-dim">{none}</p>}
      <ul aria-label={title} aria-busy={steps === undefined}>
        {steps?.slice(0, SHOWN).map(({ key, ...step }) => (
          <OneStep key={key} {...step} />
        ))}
      </ul>
    </li>
  );
}

function OneStep({ type, about, at, status, to }: Omit<Step, "key">): ReactNode {
  return (
    <li>
      <div className="bh-pipe-type">{to === undefined ? type : <PageLink to={to}>{type}</PageLink>}</div>
      <div className="bh-pipe-foot">
        {status !== undefined && <StatusDot status={status} />}
        {about !== null && (
          <span className="bh-mono bh-pipe-id" title={about}>
            {shortened(about)}
          </span>
        )}
        <RelativeTime at={at} />
      </div>
    </li>
  );
}

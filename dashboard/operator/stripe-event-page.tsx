// One event from Stripe: what it is, what it changed, how its processing went, and its payload as received.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useRead } from "../frame/hooks.ts";
import { IdText } from "../parts/id-text.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { objectPath } from "./object-paths.ts";
import { ReplayOne } from "./replay.tsx";
import { Changes } from "./story.tsx";

type Detail = components["schemas"]["StripeEventDetail"];

/** It may be waiting: what becomes of it is seen without a reload. */
const REFRESH_MS = 3000;

export default function StripeEventPage(): ReactNode {
  const id = usePathPart("id");
  const event = useRead(
    ["stripe-event", id],
    (api, signal) => api.get("/api/v1/admin/stripe-events/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Stripe events", to: "/operator/stripe-events" }]}
        beside={event.data !== undefined && <StatusDot status={event.data.status} />}
        actions={<ReplayOne id={id} />}
      >
        {event.data?.type ?? "\u00a0"}
      </PageHeader>
      <Loaded of={event} lines={12}>
        {(found) => (
          <>
            <Facts event={found} />
            <Changed event={found} />
            {found.failed_attempts.length > 0 && <Attempts event={found} />}
            <Section title="Payload">
              <JsonView value={found.payload} label="payload of the event" />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}

function Facts({ event }: { event: Detail }): ReactNode {
  const { object_id: objectId, object_type: type, account, customer_id: customer, tenant_id: tenant } = event;
  return (
    <KeyValue
      facts={[
        ["Happened", <RelativeTime key="created" at={event.created} />],
        ["Stored", <RelativeTime key="stored" at={event.created_at} />],
        [
          "Object",
          objectId === null ? null : (
            <span key="object" className="bh-row">
              <IdText id={objectId} whole to={objectPath(objectId, { account })} />
              <span className="bh-dim">{type.replaceAll("_", " ")}</span>
            </span>
          ),
        ],
        ["Customer", customer === null ? undefined : <LinkedId key="customer" id={customer} account={account} />],
        ["Tenant", tenant === null ? "None: nobody owns this account" : <LinkedId key="tenant" id={tenant} />],
        ["Stripe account", account === null ? "The platform's own" : <LinkedId key="account" id={account} />],
        ["Mode", event.livemode ? "Live" : "Test"],
        ["Source", event.source === "webhook" ? "Webhook" : "Fetched from Stripe"],
        ["API version", event.api_version],
        ["Attempts", event.attempts],
        ["Last error", event.last_error ?? undefined],
      ]}
    />
  );
}

function Changed({ event }: { event: Detail }): ReactNode {
  const { changes, head, account, object_id: objectId, payload } = event;
  const since = head ? "The object stands as this event says." : "A later observation says how the object stands now.";
  return (
    <Section title="What it changed">
      <p className="bh-dim bh-under bh-in-text">
        {objectId === null ? "It is about no object." : since}{" "}
        {objectId !== null && (
          <PageLink to={`${objectPath(objectId, { account })}${account === null ? "?" : "&"}tab=story`}>
            The whole story
          </PageLink>
        )}
      </p>
      {changes.length === 0 ? (
        <p>No tracked field changed.</p>
      ) : (
        <Changes changes={changes} of={{ account, currency: currencyOf(payload) }} />
      )}
    </Section>
  );
}

function currencyOf(payload: unknown): string | null {
  const { data } = payload as { data?: { object?: { currency?: unknown } } };
  const currency = data?.object?.currency;
  return typeof currency === "string" ? currency : null;
}

function Attempts({ event }: { event: Detail }): ReactNode {
  return (
    <Section title="Attempts that failed">
      <ol className="bh-story">
        {event.failed_attempts.map(({ attempt, at, error }) => (
          <li key={attempt}>
            <div className="bh-story-head">
              <StatusDot status="failed" label={`Attempt ${attempt}`} />
              <span className="bh-story-when">
                <RelativeTime at={at} />
              </span>
            </div>
            <p className="bh-mono bh-breaks">{error}</p>
          </li>
        ))}
      </ol>
    </Section>
  );
}

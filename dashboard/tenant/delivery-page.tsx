// One delivery: how it stands, and every attempt with what was sent and what came back.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { HeaderList, Raw } from "./exchange.tsx";
import type { Schemas } from "./tenant-reads.ts";

import "./tenant.css";

type Detail = Schemas["DeliveryDetail"];
type Attempt = Schemas["DeliveryAttempt"];

/** The next attempt is seen without a reload. */
const REFRESH_MS = 3000;

export default function DeliveryPage(): ReactNode {
  const id = usePathPart("id");
  const delivery = useRead(
    ["delivery", id],
    (api, signal) => api.get("/api/v1/deliveries/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  const retry = useAct((api) => api.post("/api/v1/deliveries/{id}/retry/", { params: { path: { id } } }), {
    done: "It is tried again now.",
  });
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Deliveries", to: "/tenant/deliveries" }]}
        beside={delivery.data !== undefined && <StatusDot status={delivery.data.status} />}
        actions={
          delivery.data !== undefined && (
            <Button loading={retry.isPending} onClick={() => retry.mutate(undefined)}>
              {delivery.data.status === "pending" ? "Try now" : "Send again"}
            </Button>
          )
        }
      >
        {delivery.data?.event_type ?? "\u00a0"}
      </PageHeader>
      <ErrorNote error={retry.error} />
      <Loaded of={delivery} lines={10}>
        {(found) => (
          <>
            <Facts delivery={found} />
            <Attempts list={found.attempt_list} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Facts({ delivery }: { delivery: Detail }): ReactNode {
  const { event_id: event, endpoint_id: endpoint, next_attempt_at: next } = delivery;
  return (
    <KeyValue
      facts={[
        ["Event", <IdText key="event" id={event} whole to={`/tenant/events/${event}`} />],
        ["Endpoint", <IdText key="endpoint" id={endpoint} whole to={`/dashboard/webhooks/${endpoint}`} />],
        ["Begun", <RelativeTime key="begun" at={delivery.created_at} />],
        ["Ended", delivery.ended_at === null ? undefined : <RelativeTime key="ended" at={delivery.ended_at} />],
        ["Next attempt", next === null ? undefined : <RelativeTime key="next" at={next} />],
        ["Last error", delivery.last_error ?? undefined],
      ]}
    />
  );
}

function Attempts({ list }: { list: readonly Attempt[] }): ReactNode {
  const latest = list.at(-1);
  return (
    <Section title="Attempts">
      {list.length === 0 && <Empty title="None yet">The first one is made in a moment.</Empty>}
      {list.toReversed().map((attempt) => (
        <OneAttempt key={attempt.id} attempt={attempt} isOpen={attempt === latest} />
      ))}
    </Section>
  );
}

function OneAttempt({ attempt, isOpen }: { attempt: Attempt; isOpen: boolean }): ReactNode {
  const { attempt: number, status_code: code, error } = attempt;
  const worked = code !== null && code >= 200 && code < 300;
  return (
    <details className="bh-attempt" open={isOpen}>
      <summary>
        <StatusDot status={worked ? "succeeded" : "failed"} label={code === null ? "No answer" : `Answered ${code}`} />
        <span className="bh-dim">Attempt {number}</span>
        <Figure value={attempt.latency_ms} unit="ms" />
        <span className="bh-to-end">
          <RelativeTime at={attempt.at} />
        </span>
      </summary>
      <div>
        {error !== null && <p>{error}</p>}
        <div className="bh-sides">
          <div>
            <h3>Sent</h3>
            <p className="bh-mono bh-breaks">POST {attempt.url}</p>
            <HeaderList label={`Headers sent at attempt ${number}`} headers={attempt.request_headers} />
          </div>
          <div>
            <h3>Came back</h3>
            <p className="bh-mono">{code ?? attempt.error_code ?? "Nothing"}</p>
            <HeaderList label={`Headers that came back at attempt ${number}`} headers={attempt.response_headers} />
            <h3>Body</h3>
            <Raw text={attempt.response_body} label={`Body that came back at attempt ${number}`} />
          </div>
        </div>
      </div>
    </details>
  );
}

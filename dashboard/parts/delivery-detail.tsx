// One delivery: what it brings to which endpoint, and every attempt with what was sent and what came back.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { HeaderList, Raw } from "./exchange.tsx";
import { Figure } from "./figures.tsx";
import { IdText } from "./id-text.tsx";
import { Empty, KeyValue, Section } from "./page-frame.tsx";
import { RelativeTime } from "./relative-time.tsx";
import { StatusDot } from "./status-dot.tsx";

type Delivery = components["schemas"]["DeliveryDetail"];
type Attempt = components["schemas"]["DeliveryAttempt"];

export interface DeliveryDetailProps {
  delivery: Delivery;
  /** The page that shows an id in this area; undefined: none does. */
  pathOf: (id: string) => string | undefined;
  /** Whose it is, for who sees more than one tenant. */
  tenant?: ReactNode;
}

export function DeliveryDetail({ delivery, pathOf, tenant }: DeliveryDetailProps): ReactNode {
  const { event_id: event, endpoint_id: endpoint, next_attempt_at: next } = delivery;
  return (
    <>
      <KeyValue
        facts={[
          ["Tenant", tenant],
          ["Event", <IdText key="event" id={event} whole to={pathOf(event)} />],
          ["Endpoint", <IdText key="endpoint" id={endpoint} whole to={pathOf(endpoint)} />],
          ["Begun", <RelativeTime key="begun" at={delivery.created_at} />],
          ["Ended", delivery.ended_at === null ? undefined : <RelativeTime key="ended" at={delivery.ended_at} />],
          ["Next attempt", next === null ? undefined : <RelativeTime key="next" at={next} />],
          ["Last error", delivery.last_error ?? undefined],
        ]}
      />
      <Attempts list={delivery.attempt_list} />
    </>
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

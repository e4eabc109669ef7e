// One event as endpoints are told it: what it is about, where it was delivered, and its body.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { Figure } from "./figures.tsx";
import { IdText } from "./id-text.tsx";
import { JsonView } from "./json-view.tsx";
import { KeyValue, Section } from "./page-frame.tsx";
import { RelativeTime } from "./relative-time.tsx";
import { StatusDot } from "./status-dot.tsx";

import "./exchange.css";

type Event = components["schemas"]["EventDetail"];

export interface EventDetailProps {
  event: Event;
  /** The page that shows an id in this area; undefined: none does. */
  pathOf: (id: string) => string | undefined;
  /** Whose it is, for who sees more than one tenant. */
  tenant?: ReactNode;
  /** Where no endpoint took it. */
  untold: ReactNode;
}

export function EventDetail({ event, pathOf, tenant, untold }: EventDetailProps): ReactNode {
  const { object_id: object, stripe_account: account } = event;
  return (
    <>
      <KeyValue
        facts={[
          ["Tenant", tenant],
          ["Happened", <RelativeTime key="created" at={event.created} />],
          ["Told", <RelativeTime key="told" at={event.created_at} />],
          ["Object", object === null ? null : <IdText key="object" id={object} whole to={pathOf(object)} />],
          [
            "Stripe account",
            account === null ? undefined : <IdText key="account" id={account} whole to={pathOf(account)} />,
          ],
          ["Mode", event.livemode ? "Live" : "Test"],
          ["Version", event.api_version],
        ]}
      />
      <Section title="Deliveries">
        {event.deliveries.length === 0 ? untold : <Deliveries of={event.deliveries} pathOf={pathOf} />}
      </Section>
      <Section title="Body">
        <JsonView value={event.body} label="body of the event" />
      </Section>
    </>
  );
}

const HEAD = ["Delivery", "Status", "Answer", "Attempts", "Endpoint", "Last attempt"];

function Deliveries({ of, pathOf }: { of: Event["deliveries"]; pathOf: EventDetailProps["pathOf"] }): ReactNode {
  return (
    <div className="bh-table-box" tabIndex={0} role="region" aria-label="Deliveries of the event">
      <table className="bh-table bh-short-table" aria-label="Deliveries of the event">
        <thead>
          <tr>
            {HEAD.map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((one) => (
            <tr key={one.id}>
              <td>
                <IdText id={one.id} to={pathOf(one.id)} />
              </td>
              <td>
                <StatusDot status={one.status} />
              </td>
              <td title={one.last_error ?? undefined}>{one.last_status_code ?? one.last_error ?? "–"}</td>
              <td>
                <Figure value={one.attempts} />
              </td>
              <td>
                <IdText id={one.endpoint_id} to={pathOf(one.endpoint_id)} />
              </td>
              <td>
                <RelativeTime at={one.last_attempt_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

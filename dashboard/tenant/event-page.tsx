// One event as endpoints are told it, where it was delivered, and sending it again.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { nameOf } from "./endpoint-cells.tsx";
import { FormDialog } from "./form-dialog.tsx";
import { objectPath } from "./object-paths.ts";
import { type Schemas, useEndpoints } from "./tenant-reads.ts";

import "./tenant.css";

type Detail = Schemas["EventDetail"];

const REFRESH_MS = 3000;

export default function EventPage(): ReactNode {
  const id = usePathPart("id");
  const [isOpen, setOpen] = useState(false);
  const event = useRead(
    ["event", id],
    (api, signal) => api.get("/api/v1/events/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Events", to: "/tenant/events" }]}
        actions={<Button onClick={() => setOpen(true)}>Resend</Button>}
      >
        {event.data?.type ?? "\u00a0"}
      </PageHeader>
      <Loaded of={event} lines={12}>
        {(found) => (
          <>
            <Facts event={found} />
            <Deliveries of={found} />
            <Section title="Body">
              <JsonView value={found.body} label="body of the event" />
            </Section>
          </>
        )}
      </Loaded>
      {isOpen && <Resend id={id} close={() => setOpen(false)} />}
    </>
  );
}

function Facts({ event }: { event: Detail }): ReactNode {
  const { object_id: object, stripe_account: account } = event;
  const to = object === null ? undefined : objectPath(object);
  return (
    <KeyValue
      facts={[
        ["Happened", <RelativeTime key="created" at={event.created} />],
        ["Told", <RelativeTime key="told" at={event.created_at} />],
        [
          "Object",
          object === null ? null : <IdText key="object" id={object} whole {...(to === undefined ? {} : { to })} />,
        ],
        ["Stripe account", account === null ? undefined : <IdText key="account" id={account} whole />],
        ["Mode", event.livemode ? "Live" : "Test"],
        ["Version", event.api_version],
      ]}
    />
  );
}

function Deliveries({ of: { deliveries } }: { of: Detail }): ReactNode {
  return (
    <Section title="Deliveries">
      {deliveries.length === 0 ? (
        <Empty title="Nobody was told">
          No endpoint took this type when it happened.{" "}
          <PageLink to="/dashboard/webhooks">Look at your endpoints</PageLink>, then resend it.
        </Empty>
      ) : (
        <div className="bh-table-box" tabIndex={0} role="region" aria-label="Deliveries of the event">
          <table className="bh-table bh-short-table" aria-label="Deliveries of the event">
            <thead>
              <tr>
                {["Delivery", "Status", "Answer", "Attempts", "Endpoint", "Last attempt"].map((label) => (
                  <th key={label} scope="col">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {deliveries.map((one) => (
                <tr key={one.id}>
                  <td>
                    <IdText id={one.id} to={`/tenant/deliveries/${one.id}`} />
                  </td>
                  <td>
                    <StatusDot status={one.status} />
                  </td>
                  <td title={one.last_error ?? undefined}>{one.last_status_code ?? one.last_error ?? "–"}</td>
                  <td>
                    <Figure value={one.attempts} />
                  </td>
                  <td>
                    <IdText id={one.endpoint_id} to={`/dashboard/webhooks/${one.endpoint_id}`} />
                  </td>
                  <td>
                    <RelativeTime at={one.last_attempt_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

const EVERYWHERE = "all";

function Resend({ id, close }: { id: string; close: () => void }): ReactNode {
  const endpoints = useEndpoints().data ?? [];
  const [where, setWhere] = useState(EVERYWHERE);
  const resend = useAct(
    (api) =>
      api.post("/api/v1/events/{id}/resend/", {
        params: { path: { id } },
        body: where === EVERYWHERE ? {} : { endpoint_id: where },
      }),
    {
      done: ({ data }) =>
        data.length === 0 ? "No enabled endpoint takes this type." : `Sent to ${data.length} of your endpoints.`,
      then: close,
    },
  );
  return (
    <FormDialog
      close={close}
      title="Resend the event"
      action="Resend"
      run={() => resend.mutate(undefined)}
      isPending={resend.isPending}
      error={resend.error}
    >
      <Select
        label="To"
        data={[
          { value: EVERYWHERE, label: "Every endpoint that takes it" },
          ...endpoints
            .filter(({ url }) => url !== null)
            .map((endpoint) => ({ value: endpoint.id, label: nameOf(endpoint) })),
        ]}
        value={where}
        allowDeselect={false}
        onChange={(chosen) => setWhere(chosen ?? EVERYWHERE)}
      />
      <p className="bh-dim">
        It goes out under the same webhook-id: a server that keeps them knows that it has had it before.
      </p>
    </FormDialog>
  );
}

// One event of the tenant's, and sending it again.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { nameOf } from "../parts/endpoint-cells.tsx";
import { EventDetail } from "../parts/event-detail.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { FormDialog } from "./form-dialog.tsx";
import { objectPath } from "./object-paths.ts";
import { useEndpoints, useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

const REFRESH_MS = 3000;

export default function EventPage(): ReactNode {
  const id = usePathPart("id");
  const isAdmin = useIsAdmin();
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
        actions={isAdmin && <Button onClick={() => setOpen(true)}>Resend</Button>}
      >
        {event.data?.type ?? "\u00a0"}
      </PageHeader>
      <Loaded of={event} lines={12}>
        {(found) => <EventDetail event={found} pathOf={objectPath} untold={<Untold isAdmin={isAdmin} />} />}
      </Loaded>
      {isOpen && <Resend id={id} close={() => setOpen(false)} />}
    </>
  );
}

function Untold({ isAdmin }: { isAdmin: boolean }): ReactNode {
  return (
    <Empty title="Nobody was told">
      No endpoint took this type when it happened. <PageLink to="/dashboard/webhooks">Look at your endpoints</PageLink>
      {isAdmin && ", then resend it"}.
    </Empty>
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

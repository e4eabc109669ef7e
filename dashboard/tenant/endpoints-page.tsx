// The tenant's webhook endpoints, and the form that makes one.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList, useStanding } from "../frame/hooks.ts";
import { EndpointState, eventsOf, modeOf, nameOf } from "../parts/endpoint-cells.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { EndpointFields, type EndpointForm, otherEndpointError, wiredForm } from "./endpoint-form.tsx";
import { FormDialog, SecretDialog } from "./form-dialog.tsx";
import { type Endpoint, useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

const COLUMNS: readonly Column<Endpoint>[] = [
  { label: "URL", cell: nameOf },
  { label: "State", cell: (endpoint) => <EndpointState of={endpoint} />, width: 130 },
  { label: "Events", cell: eventsOf, width: 170 },
  { label: "Mode", cell: modeOf, width: 120 },
  { label: "Description", cell: ({ description }) => description ?? <span className="bh-dim">–</span>, width: 180 },
  { label: "Made", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

export default function EndpointsPage(): ReactNode {
  const isAdmin = useIsAdmin();
  const [isOpen, setOpen] = useState(false);
  const list = useList(["endpoints"], (api, page, signal) =>
    api.get("/api/v1/webhook-endpoints/", { params: { query: page }, signal }),
  );
  return (
    <>
      <PageHeader title="Webhooks" actions={isAdmin && <Button onClick={() => setOpen(true)}>Add an endpoint</Button>}>
        Your servers are told what happens, signed, until they answer 2xx.
      </PageHeader>
      <DataTable
        label="Webhook endpoints"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/dashboard/webhooks/${id}`}
        minWidth={980}
        empty={
          <Empty title="No endpoints">
            {isAdmin ? "Add" : "An admin adds"} the address of a server of yours: it is told what happens from then on.
          </Empty>
        }
      />
      {isOpen && <NewEndpoint close={() => setOpen(false)} />}
    </>
  );
}

function NewEndpoint({ close }: { close: () => void }): ReactNode {
  const go = useGo();
  const { mode } = useStanding();
  const [form, change] = useDraft<EndpointForm>({
    ...{ url: "", description: "", events: ["*"], ordering: "none", signature: "v1" },
    livemode: mode === "live",
  });
  const create = useAct((api) => api.post("/api/v1/webhook-endpoints/", { body: wiredForm(form) }));
  if (create.data !== undefined) {
    const { id, secret } = create.data;
    return (
      <SecretDialog
        title="The endpoint’s signing secret"
        secrets={[{ label: "Signing secret", value: secret }]}
        action="Open the endpoint"
        done={() => go(`/dashboard/webhooks/${id}`)}
      />
    );
  }
  return (
    <FormDialog
      close={close}
      title="Add an endpoint"
      action="Add"
      run={() => create.mutate(undefined)}
      isPending={create.isPending}
      error={otherEndpointError(create.error)}
    >
      <EndpointFields form={form} change={change} error={create.error} />
    </FormDialog>
  );
}

// One webhook endpoint: how it stands and how its deliveries go, a test with what came back, and what it missed.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useRead } from "../frame/hooks.ts";
import { EndpointState, nameOf } from "../parts/endpoint-cells.tsx";
import { EndpointSettings, EndpointTrouble } from "../parts/endpoint-detail.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { UrlTabs } from "../parts/url-tabs.tsx";
import { DeliveryTable } from "./delivery-table.tsx";
import { DeleteEndpoint, EditEndpoint, RotateSecret, SwitchEndpoint } from "./endpoint-dialogs.tsx";
import { EndpointFigures } from "./endpoint-figures.tsx";
import { Recoveries } from "./recoveries.tsx";
import { type Endpoint, useIsAdmin } from "./tenant-reads.ts";
import { WebhookTest } from "./webhook-test.tsx";

import "./tenant.css";

const REFRESH_MS = 10_000;

type Dialog = "edit" | "rotate" | "switch" | "delete";

export default function EndpointPage(): ReactNode {
  const id = usePathPart("id");
  const isAdmin = useIsAdmin();
  const [open, setOpen] = useState<Dialog>();
  const endpoint = useRead(
    ["endpoint", id],
    (api, signal) => api.get("/api/v1/webhook-endpoints/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  const found = endpoint.data;
  return (
    <>
      <PageHeader
        title={found === undefined ? <IdText id={id} whole /> : <span className="bh-breaks">{nameOf(found)}</span>}
        crumbs={[{ label: "Webhooks", to: "/dashboard/webhooks" }]}
        beside={found !== undefined && <EndpointState of={found} />}
        actions={isAdmin && found !== undefined && <Actions endpoint={found} open={setOpen} />}
      >
        {found?.description ?? "\u00a0"}
      </PageHeader>
      <Loaded
        of={endpoint}
        lines={12}
        absent={
          <Empty title="There is no such endpoint">
            It was deleted, or another tenant has it. <PageLink to="/dashboard/webhooks">All webhooks</PageLink>
          </Empty>
        }
      >
        {(shown) => (
          <>
            <EndpointTrouble endpoint={shown}>
              {isAdmin && " Enable it when it works again, then recover what it missed."}
            </EndpointTrouble>
            <Tabs endpoint={shown} edit={() => setOpen("edit")} />
            <OneDialog open={open} endpoint={shown} close={() => setOpen(undefined)} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Actions({ endpoint, open }: { endpoint: Endpoint; open: (dialog: Dialog) => void }): ReactNode {
  return (
    <>
      <Button variant="default" onClick={() => open("edit")}>
        Edit
      </Button>
      <Button variant="default" onClick={() => open("rotate")}>
        Rotate the secret
      </Button>
      <Button variant="default" onClick={() => open("switch")}>
        {endpoint.status === "enabled" ? "Disable" : "Enable"}
      </Button>
      <Button variant="default" onClick={() => open("delete")}>
        Delete
      </Button>
    </>
  );
}

function OneDialog({ open, ...given }: { open: Dialog | undefined; endpoint: Endpoint; close: () => void }): ReactNode {
  switch (open) {
    case "edit":
      return <EditEndpoint {...given} />;
    case "rotate":
      return <RotateSecret {...given} />;
    case "switch":
      return <SwitchEndpoint {...given} />;
    case "delete":
      return <DeleteEndpoint {...given} />;
    default:
      return null;
  }
}

function Tabs({ endpoint, edit }: { endpoint: Endpoint; edit: () => void }): ReactNode {
  const { id } = endpoint;
  const isAdmin = useIsAdmin();
  return (
    <UrlTabs
      tabs={[
        { name: "overview", label: "Overview", content: () => <Overview endpoint={endpoint} /> },
        { name: "deliveries", label: "Deliveries", content: () => <DeliveryTable query={{ endpoint_id: id }} /> },
        ...(isAdmin
          ? [{ name: "test", label: "Test", content: () => <WebhookTest endpoint={endpoint} edit={edit} /> }]
          : []),
        {
          name: "recover",
          label: isAdmin ? "Recover" : "Recoveries",
          content: () => <Recoveries endpoint={endpoint} />,
        },
      ]}
    />
  );
}

function Overview({ endpoint }: { endpoint: Endpoint }): ReactNode {
  return (
    <>
      <EndpointFigures id={endpoint.id} />
      <EndpointSettings endpoint={endpoint} />
    </>
  );
}

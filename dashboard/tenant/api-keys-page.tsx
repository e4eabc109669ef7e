// A tenant's API keys: what there is, when it was last used, and for owners how to replace or revoke it.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useList } from "../frame/hooks.ts";
import { CopyButton } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { RegenerateKeys, RevokeKeys } from "./key-dialogs.tsx";
import { onlyPage, type Schemas, useIsOwner } from "./tenant-reads.ts";

import "./tenant.css";

type ApiKey = Schemas["ApiKey"];

/** As often as the server writes when keys were used. */
const REFRESH_MS = 5000;

const COLUMNS: readonly Column<ApiKey>[] = [
  { label: "Key", cell: ({ type }) => <span className="bh-strong">{wordOf(type)}</span>, width: 130 },
  { label: "Value", cell: valueOf },
  { label: "State", cell: stateOf, width: 220 },
  {
    label: "Last used",
    cell: ({ last_used_at: at }) => (at === null ? "Never" : <RelativeTime at={at} />),
    width: 120,
  },
  { label: "Made", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
];

function valueOf({ key, masked }: ApiKey): ReactNode {
  return (
    <span className="bh-id">
      <span title={masked ? "Shown whole only when it is made" : key}>{key}</span>
      {!masked && <CopyButton text={key} label={`Copy ${key}`} />}
    </span>
  );
}

function stateOf({ expires_at: at }: ApiKey): ReactNode {
  if (at === null) return <StatusDot status="active" />;
  return (
    <span className="bh-row bh-one-line">
      <StatusDot status="expired" label="Replaced, ends" tone="warn" />
      <RelativeTime at={at} />
    </span>
  );
}

export default function ApiKeysPage(): ReactNode {
  const isOwner = useIsOwner();
  const [open, setOpen] = useState<"regenerate" | "revoke">();
  const list = useList(
    ["api-keys"],
    async (api, _page, signal) => onlyPage((await api.get("/api/v1/auth/tenants/api-keys/", { signal })).keys),
    { every: REFRESH_MS },
  );
  const close = (): void => setOpen(undefined);
  return (
    <>
      <PageHeader
        title="API keys"
        actions={
          isOwner && (
            <>
              <Button variant="default" onClick={() => setOpen("revoke")}>
                Revoke
              </Button>
              <Button onClick={() => setOpen("regenerate")}>Regenerate</Button>
            </>
          )
        }
      >
        A secret key acts as this tenant: keep it on your server. A public key may be in a page.
        {!isOwner && " Only an owner of the tenant can replace or revoke keys."}
      </PageHeader>
      <DataTable
        label="API keys"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        minWidth={930}
        empty={
          <Empty title="There are no keys">
            They were revoked. {isOwner ? "Regenerate them" : "Ask an owner to regenerate them"} when your servers may
            call again.
          </Empty>
        }
      />
      {open === "regenerate" && <RegenerateKeys close={close} />}
      {open === "revoke" && <RevokeKeys close={close} />}
    </>
  );
}

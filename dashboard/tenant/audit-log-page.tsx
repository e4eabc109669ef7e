// Who did what in the tenant, when and from where, with what was before and after it.
import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useList, useRead } from "../frame/hooks.ts";
import { IdText } from "../parts/id-text.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, KeyValue, PageHeader } from "../parts/page-frame.tsx";
import { ExactTime, RelativeTime } from "../parts/relative-time.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import { objectPath } from "./object-paths.ts";
import type { Schemas } from "./tenant-reads.ts";

import "./tenant.css";

type Entry = Schemas["AuditEntry"];

/** By id, where it is known. */
type Names = ReadonlyMap<string, string>;

export default function AuditLogPage(): ReactNode {
  const [open, setOpen] = useState<Entry>();
  const names = useNames();
  const list = useList(["audit-log"], (api, page, signal) =>
    api.get("/api/v1/auth/tenants/audit-log/", { params: { query: page }, signal }),
  );
  const columns: readonly Column<Entry>[] = [
    { label: "What", cell: ({ action }) => saidOf(action) },
    { label: "Who", cell: ({ actor }) => whoOf(actor, names), width: 200 },
    { label: "Of what", cell: ({ target }) => <Target id={target} names={names} />, width: 215 },
    { label: "From", cell: ({ source }) => <span className="bh-mono">{source ?? "–"}</span>, width: 110 },
    { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
    { label: "Details", cell: (entry) => <ShowButton entry={entry} show={setOpen} />, width: 90 },
  ];
  return (
    <>
      <PageHeader title="Audit log">Changes of keys, members, the Stripe account, endpoints and credits.</PageHeader>
      <DataTable
        label="Audit log"
        list={list}
        columns={columns}
        rowKey={({ id }) => id}
        minWidth={920}
        empty={<Empty title="Nothing yet">It fills as members and keys change something.</Empty>}
      />
      {open !== undefined && <Details entry={open} names={names} close={() => setOpen(undefined)} />}
    </>
  );
}

function useNames(): Names {
  const members = useRead(
    ["members", "names"],
    async (api, signal) => (await api.get("/api/v1/auth/tenants/members/", { signal })).data,
  );
  return new Map(members.data?.flatMap(({ id, email }) => (email === null ? [] : [[id, email] as const])));
}

/** `api_keys.regenerated` → `Api keys regenerated`. */
const saidOf = (action: string): string => wordOf(action.replaceAll(".", " "));

function whoOf({ kind, id }: Entry["actor"], names: Names): string {
  if (id === null) return wordOf(kind);
  return names.get(id) ?? id;
}

function Target({ id, names }: { id: string | null; names: Names }): ReactNode {
  if (id === null) return <span className="bh-dim">–</span>;
  const name = names.get(id);
  if (name !== undefined) return name;
  const to = objectPath(id);
  return <IdText id={id} {...(to === undefined ? {} : { to })} />;
}

function ShowButton({ entry, show }: { entry: Entry; show: (entry: Entry) => void }): ReactNode {
  return (
    <Button size="compact-xs" variant="default" onClick={() => show(entry)}>
      Show<span className="bh-hidden"> {saidOf(entry.action)}</span>
    </Button>
  );
}

function Details({ entry, names, close }: { entry: Entry; names: Names; close: () => void }): ReactNode {
  const { action, actor, target, source, before, after, created_at: at } = entry;
  return (
    <Modal
      opened
      onClose={close}
      title={saidOf(action)}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
      centered
    >
      <div className="bh-stack">
        <KeyValue
          facts={[
            ["Who", whoOf(actor, names)],
            ["Of what", <Target key="target" id={target} names={names} />],
            ["From", source],
            ["When", <ExactTime key="when" at={at} />],
          ]}
        />
        <div className="bh-sides">
          <div>
            <h3>Before</h3>
            <Value value={before} label="what was before" />
          </div>
          <div>
            <h3>After</h3>
            <Value value={after} label="what was after" />
          </div>
        </div>
      </div>
    </Modal>
  );
}

function Value({ value, label }: { value: unknown; label: string }): ReactNode {
  if (value === null || value === undefined) return <p className="bh-dim">Nothing</p>;
  return <JsonView value={value} label={label} />;
}

// Any object of Stripe's by its id: its fields as they stand, its story with every change, and the newest snapshot.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useRead } from "../frame/hooks.ts";
import { type FilterSpec, useFilters } from "../parts/filters.tsx";
import { IdText } from "../parts/id-text.tsx";
import { JsonView } from "../parts/json-view.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { type UrlTab, UrlTabs } from "../parts/url-tabs.tsx";
import { FieldValue, labelOf } from "./field-value.tsx";
import { Story, useStory } from "./story.tsx";

export type StripeObject = components["schemas"]["StripeObject"];

/** The page of a kind that has a list, or of any other object. */
export function objectPage(list?: Crumb): () => ReactNode {
  return function ObjectPage() {
    return <ObjectView list={list} tabsOf={() => []} />;
  };
}

interface Crumb {
  label: string;
  to: string;
}

export interface ObjectViewProps {
  list: Crumb | undefined;
  /** What a kind of object has before its fields. */
  tabsOf: (object: StripeObject) => readonly UrlTab[];
}

export function ObjectView({ list, tabsOf }: ObjectViewProps): ReactNode {
  const id = usePathPart("id");
  const query = useScopeQuery();
  const object = useRead(["object", id, query], (api, signal) =>
    api.get("/api/v1/admin/objects/{id}/", { params: { path: { id }, query }, signal }),
  );
  const status = object.data?.row?.status;
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={list === undefined ? [] : [list]}
        beside={typeof status === "string" && <StatusDot status={status} />}
      >
        {lead(object.data)}
      </PageHeader>
      <Loaded of={object} lines={12}>
        {(found) => (
          <>
            <Elsewhere object={found} />
            <UrlTabs
              tabs={[
                ...tabsOf(found),
                { name: "fields", label: "Fields", content: () => <Fields object={found} /> },
                { name: "story", label: "What happened", content: () => <ObjectStory object={found} /> },
                { name: "snapshot", label: "Snapshot", content: () => <Snapshot object={found} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

const SCOPE = [
  { name: "account", label: "Stripe account", kind: "text" },
  { name: "livemode", label: "Mode", kind: "choice" },
] as const satisfies readonly FilterSpec[];

/** The same id may be in several accounts and modes: the address says which. */
export function useScopeQuery(): { account?: string; livemode?: "true" | "false" } {
  const { account, livemode } = useFilters(SCOPE).values;
  return {
    ...(account === undefined ? {} : { account }),
    ...(livemode === "true" || livemode === "false" ? { livemode } : {}),
  };
}

function lead(object: StripeObject | undefined): string {
  if (object === undefined) return "\u00a0";
  const { object_type: type, livemode, account, row } = object;
  const email = typeof row?.email === "string" ? `${row.email}, ` : "";
  const where = account ?? "the platform's own account";
  return `${email}${wordOf(type.replaceAll(".", " "))} of ${where}, ${livemode ? "live" : "test"} mode`;
}

function Elsewhere({ object: { id, others } }: { object: StripeObject }): ReactNode {
  if (others.length === 0) return null;
  return (
    <p className="bh-dim bh-in-text">
      The same id is elsewhere too:{" "}
      {others.map(({ account, livemode, object_type: type }) => {
        const to = `/operator/objects/${encodeURIComponent(id)}?account=${account ?? "platform"}&livemode=${String(livemode)}`;
        return (
          <span key={`${type} ${to}`}>
            <PageLink to={to}>
              {wordOf(type)} in {account ?? "the platform's account"}, {livemode ? "live" : "test"}
            </PageLink>{" "}
          </span>
        );
      })}
    </p>
  );
}

/** Shown above, beside or below, or of no use to people. */
const LEFT_OUT = new Set(
  "id livemode stripe_account object_type status unread_fields order_ambiguous deleted stripe_customer_id".split(" "),
);

const WITHOUT_ROW: Record<Exclude<StripeObject["row_status"], "stored">, [title: string, text: string]> = {
  pending: [
    "It waits to be processed, or to be fetched from Stripe",
    "The fields come with that: look again in a moment.",
  ],
  failed: ["What would have stored it failed", "Its events say why, and can be replayed."],
  unrouted: ["Its account is connected to no tenant", "Once it is, its events are processed."],
  unknown: ["Stripe has sent its name alone", "Events named it, and none brought the object itself."],
};

function WithoutRow({ status }: { status: StripeObject["row_status"] }): ReactNode {
  const [title, text] = WITHOUT_ROW[status === "stored" ? "unknown" : status];
  return <Empty title={title}>{text}</Empty>;
}

function Fields({ object }: { object: StripeObject }): ReactNode {
  const { row, account } = object;
  if (row === null) return <WithoutRow status={object.row_status} />;
  const currency = typeof row.currency === "string" ? row.currency : null;
  const entries = Object.entries(row).filter(([name]) => !LEFT_OUT.has(name));
  const isGiven = (value: unknown): boolean => value !== null && value !== "" && JSON.stringify(value) !== "{}";
  const given = entries.filter(([, value]) => isGiven(value) && !(Array.isArray(value) && value.length === 0));
  const unread = Array.isArray(row.unread_fields) ? row.unread_fields.map(String) : [];
  return (
    <>
      <KeyValue
        facts={[
          ["Deleted", row.deleted === true ? "Yes, at Stripe" : undefined],
          ["Order", row.order_ambiguous === true ? "Several states tie: it is being fetched from Stripe" : undefined],
          ["Not read", unread.length === 0 ? undefined : `${unread.join(", ")}: see the snapshot`],
          ...given.map(
            ([name, value]) =>
              [
                labelOf(name),
                Array.isArray(value) && typeof value[0] === "object" ? (
                  <Children key={name} rows={value as Record<string, unknown>[]} of={{ currency, account }} />
                ) : (
                  <FieldValue key={name} name={name} value={value} of={{ currency, account }} />
                ),
              ] as const,
          ),
        ]}
      />
      {given.length < entries.length && (
        <p className="bh-foot">{entries.length - given.length} fields are empty and left out.</p>
      )}
    </>
  );
}

/** A subscription's items, and the like. */
function Children({
  rows,
  of,
}: {
  rows: readonly Record<string, unknown>[];
  of: { currency: string | null; account: string | null };
}): ReactNode {
  return (
    <ul className="bh-children">
      {rows.map((row, index) => (
        <li key={typeof row.id === "string" ? row.id : index}>
          {Object.entries(row)
            .filter(([name, value]) => value !== null && name !== "tenant_id" && JSON.stringify(value) !== "{}")
            .map(([name, value]) => (
              <span key={name}>
                <span className="bh-dim">{labelOf(name)}</span> <FieldValue name={name} value={value} of={of} />
              </span>
            ))}
        </li>
      ))}
    </ul>
  );
}

function ObjectStory({ object: { id, row, account, livemode } }: { object: StripeObject }): ReactNode {
  const list = useStory({
    object_id: id,
    account: account ?? "platform",
    livemode: livemode ? "true" : "false",
  });
  return <Story list={list} currency={typeof row?.currency === "string" ? row.currency : null} />;
}

function Snapshot({ object }: { object: StripeObject }): ReactNode {
  return (
    <Section title="As Stripe wrote it">
      <JsonView value={object.snapshot} label={`snapshot of ${object.id}`} />
    </Section>
  );
}

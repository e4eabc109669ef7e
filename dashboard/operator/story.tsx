// An object's story: each observation of it with what it changed, before and after, newest first.
import type { ReactNode } from "react";

import { type List, useList } from "../frame/hooks.ts";
import { LoadMore } from "../parts/load-more.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { type FieldContext, FieldValue, labelOf } from "./field-value.tsx";
import { objectPath } from "./object-paths.ts";
import { type Change, type LogEntry } from "./operator-reads.ts";

import "./operator.css";

/** Each field with what it was and what it is. */
export function Changes({ changes, of }: { changes: readonly Change[]; of: FieldContext }): ReactNode {
  return (
    <table className="bh-changes">
      <thead className="bh-hidden">
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ field, before, after }) => (
          <tr key={field}>
            <th scope="row">{labelOf(field)}</th>
            <td>
              <FieldValue name={field} value={before} of={of} />
            </td>
            <td>
              <FieldValue name={field} value={after} of={of} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface StoryFilter {
  object_id?: string;
  customer?: string;
  account?: string;
  since?: string;
  until?: string;
  livemode?: "true" | "false";
}

export function useStory(filter: StoryFilter): List<LogEntry> {
  return useList(["billing-log", filter], (api, page, signal) =>
    api.get("/api/v1/admin/billing-log/", { params: { query: { ...filter, ...page } }, signal }),
  );
}

export interface StoryProps {
  list: List<LogEntry>;
  /** Of the object, where all is of one. */
  currency?: string | null;
  /** Each entry names its object. */
  withObject?: boolean;
}

export function Story({ list, currency = null, withObject = false }: StoryProps): ReactNode {
  return (
    <Loaded of={list} lines={6}>
      {({ pages }) => {
        const entries = pages.flatMap(({ data }) => data);
        if (entries.length === 0)
          return <Empty title="Nothing has happened">Clear the filters, or look in the other mode.</Empty>;
        return (
          <>
            <ol className="bh-story" aria-label="What happened, newest first">
              {entries.map((entry) => (
                <StoryEntry key={`${entry.event_id} ${entry.received_at}`} {...{ entry, currency, withObject }} />
              ))}
            </ol>
            <LoadMore list={list} />
          </>
        );
      }}
    </Loaded>
  );
}

interface StoryEntryProps extends Required<Pick<StoryProps, "currency" | "withObject">> {
  entry: LogEntry;
}

function StoryEntry({ entry, currency, withObject }: StoryEntryProps): ReactNode {
  const { event_id: id, type, created, changes, head, source, account, object_id: objectId } = entry;
  return (
    <li>
      <div className="bh-story-head">
        {source === "webhook" ? <PageLink to={`/operator/stripe-events/${id}`}>{type}</PageLink> : <span>{type}</span>}
        {withObject && objectId !== null && (
          <PageLink to={objectPath(objectId, { account })} className="bh-mono bh-cut">
            {objectId}
          </PageLink>
        )}
        {source === "pull" && <span className="bh-dim">fetched from Stripe</span>}
        {head && !withObject && <span className="bh-dim">as it stands now</span>}
        <span className="bh-story-when">
          <RelativeTime at={created} />
        </span>
      </div>
      {changes.length === 0 ? (
        <p className="bh-dim bh-small">No tracked field changed.</p>
      ) : (
        <Changes changes={changes} of={{ currency, account }} />
      )}
    </li>
  );
}

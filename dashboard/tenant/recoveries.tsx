// What an endpoint missed: counting it, sending it in the background, and how far that has come.
import { Button, Progress, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList } from "../frame/hooks.ts";
import { modeOf } from "../parts/endpoint-cells.tsx";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { Figure } from "../parts/figures.tsx";
import { LoadMore } from "../parts/load-more.tsx";
import { Waiting } from "../parts/loaded.tsx";
import { Section } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { type Endpoint, type Schemas, useIsAdmin } from "./tenant-reads.ts";

type Recovery = Schemas["Recovery"];

const REFRESH_MS = 2000;
const FIELDS = ["since", "until"];

export function Recoveries({ endpoint }: { endpoint: Endpoint }): ReactNode {
  const isAdmin = useIsAdmin();
  return (
    <>
      <p className="bh-dim">
        A recovery sends every event that this endpoint takes and has not had, since a time that is said. What it had is
        not sent again.
      </p>
      {isAdmin && (
        <Section title="Recover">
          <RecoverForm id={endpoint.id} />
        </Section>
      )}
      <Section title="Recoveries">
        <Begun id={endpoint.id} />
      </Section>
    </>
  );
}

const DAY_MS = 86_400_000;

/** As the field has it: local time, to the minute. */
function localMinute(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function RecoverForm({ id }: { id: string }): ReactNode {
  const [since, setSince] = useState(() => localMinute(Date.now() - DAY_MS));
  const [until, setUntil] = useState("");
  const range = () => ({
    since: new Date(since).toISOString(),
    ...(until === "" ? {} : { until: new Date(until).toISOString() }),
  });
  const path = { path: { id } };
  const count = useAct((api) =>
    api.post("/api/v1/webhook-endpoints/{id}/recover/", { params: path, body: { ...range(), dry_run: true } }),
  );
  const start = useAct((api) => api.post("/api/v1/webhook-endpoints/{id}/recover/", { params: path, body: range() }), {
    done: "The recovery has begun.",
    then: () => count.reset(),
  });
  const error = start.error ?? count.error;
  const counted = count.data !== undefined && "count" in count.data ? count.data : undefined;
  const change = (set: (text: string) => void) => (text: string) => {
    set(text);
    count.reset();
  };
  return (
    <form
      className="bh-stack"
      aria-label="Recover"
      onSubmit={(event) => {
        event.preventDefault();
        count.mutate(undefined);
      }}
    >
      <div className="bh-row bh-ends">
        <Moment label="Since" value={since} change={change(setSince)} error={fieldError(error, "since")} required />
        <Moment label="Until, or now" value={until} change={change(setUntil)} error={fieldError(error, "until")} />
        <Button type="submit" variant="default" loading={count.isPending}>
          Count what it missed
        </Button>
      </div>
      <ErrorNote error={otherError(error, FIELDS)} />
      <div role="status">
        {counted !== undefined && (
          <div className="bh-row">
            <span>
              {counted.count_is_partial && "At least "}
              <Figure value={counted.count} unit={counted.count === 1 ? "event" : "events"} /> missed since{" "}
              <RelativeTime at={counted.since} />.
            </span>
            {counted.count > 0 && (
              <Button loading={start.isPending} onClick={() => start.mutate(undefined)}>
                Send them
              </Button>
            )}
          </div>
        )}
      </div>
    </form>
  );
}

interface MomentProps {
  label: string;
  value: string;
  change: (text: string) => void;
  error: string | undefined;
  required?: boolean;
}

function Moment({ label, value, change, error, required = false }: MomentProps): ReactNode {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={value}
      required={required}
      error={error}
      onChange={({ currentTarget }) => change(currentTarget.value)}
    />
  );
}

function Begun({ id }: { id: string }): ReactNode {
  const list = useList(
    ["recoveries", id],
    (api, page, signal) => api.get("/api/v1/recoveries/", { params: { query: { endpoint_id: id, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  const cancel = useAct(
    (api, recovery: Recovery) => api.post("/api/v1/recoveries/{id}/cancel/", { params: { path: { id: recovery.id } } }),
    { done: "It sends no more." },
  );
  if (list.data === undefined) {
    return list.error === null ? (
      <Waiting lines={3} />
    ) : (
      <ErrorNote error={list.error} retry={() => void list.refetch()} />
    );
  }
  const begun = list.data.pages.flatMap(({ data }) => data);
  if (begun.length === 0) return <p className="bh-dim">None has begun for this endpoint.</p>;
  return (
    <>
      <ErrorNote error={cancel.error} />
      {begun.map((recovery) => (
        <OneRecovery
          key={recovery.id}
          recovery={recovery}
          cancel={() => cancel.mutate(recovery)}
          isBusy={cancel.isPending}
        />
      ))}
      <LoadMore list={list} />
    </>
  );
}

interface OneRecoveryProps {
  recovery: Recovery;
  cancel: () => void;
  isBusy: boolean;
}

function OneRecovery({ recovery, cancel, isBusy }: OneRecoveryProps): ReactNode {
  const { status, queued, total, since, until, created_at: at } = recovery;
  const isAdmin = useIsAdmin();
  const share = total === 0 ? 100 : Math.min(100, Math.round((queued / total) * 100));
  return (
    <div className="bh-recovery">
      <div className="bh-row">
        <StatusDot status={status} />
        <span>
          <Figure value={queued} /> of <Figure value={total} />
        </span>
        <span className="bh-dim">
          {modeOf(recovery)}, from <RelativeTime at={since} /> to <RelativeTime at={until} />
        </span>
        <span className="bh-to-end bh-row">
          {isAdmin && status === "running" && (
            <Button size="compact-xs" variant="default" disabled={isBusy} onClick={cancel}>
              Cancel
            </Button>
          )}
          <RelativeTime at={at} />
        </span>
      </div>
      <Progress value={status === "done" ? 100 : share} size="xs" aria-label={`Progress: ${share} %`} />
    </div>
  );
}

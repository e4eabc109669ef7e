// Processing events again: one, or a range that is counted before anything is done.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { BillhookError } from "../../kit/client/client.ts";
import { useAct, useRead } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Figure } from "../parts/figures.tsx";

const SAFE = "The same state comes out of it: nothing is granted, sent or told twice.";

export function ReplayOne({ id }: { id: string }): ReactNode {
  const [asks, setAsks] = useState(false);
  const replay = useAct((api) => api.post("/api/v1/admin/stripe-events/{id}/replay/", { params: { path: { id } } }), {
    done: "The event is processed again.",
    then: () => setAsks(false),
  });
  return (
    <>
      <Button variant="default" onClick={() => setAsks(true)}>
        Replay
      </Button>
      <ConfirmDialog
        opened={asks}
        close={() => setAsks(false)}
        title="Process this event again?"
        action="Replay"
        run={() => replay.mutate(undefined)}
        isPending={replay.isPending}
        error={replay.error}
      >
        {SAFE}
      </ConfirmDialog>
    </>
  );
}

export interface ReplayRange {
  type?: string;
  status?: "failed" | "ignored" | "unrouted";
  account?: string;
  /** Left out: of both modes. */
  livemode?: boolean;
  object_id?: string;
  since?: string;
  until?: string;
}

/** Counts first: what is about to be done is read before it is done. */
export function ReplayMany({ range, size = "sm" }: { range: ReplayRange; size?: "xs" | "sm" }): ReactNode {
  const [asks, setAsks] = useState(false);
  const isEverything = Object.keys(range).every((name) => name === "livemode");
  // The API asks for a bound beside the mode: from the beginning on is all.
  const bounds = isEverything ? { ...range, since: 0 } : range;
  const counted = useRead(
    ["replay-count", bounds],
    (api) => api.post("/api/v1/admin/stripe-events/replay/", { body: { ...bounds, dry_run: true } }),
    { enabled: asks },
  );
  const replay = useAct((api) => api.post("/api/v1/admin/stripe-events/replay/", { body: bounds }), {
    done: ({ count }) =>
      count === 1 ? "1 event is processed again." : `${count.toLocaleString("en")} events are processed again.`,
    then: () => setAsks(false),
  });
  const count = counted.data?.count;
  return (
    <>
      <Button variant="default" size={size} onClick={() => setAsks(true)}>
        Replay these
      </Button>
      <ConfirmDialog
        opened={asks}
        close={() => setAsks(false)}
        title="Process these events again?"
        action="Replay"
        {...(isEverything ? { typed: "everything" } : {})}
        run={() => {
          if (count !== undefined && count > 0) replay.mutate(undefined);
        }}
        isPending={replay.isPending || counted.isFetching}
        error={replay.error ?? counted.error}
      >
        <Count count={count} livemode={range.livemode} error={counted.error} />
        <p>{SAFE}</p>
      </ConfirmDialog>
    </>
  );
}

interface CountProps {
  count: number | undefined;
  livemode: boolean | undefined;
  error: BillhookError | null;
}

function Count({ count, livemode, error }: CountProps): ReactNode {
  if (error !== null) return null;
  if (count === undefined) return <p>Counting…</p>;
  const modes = livemode === undefined ? "of both modes" : livemode ? "of live mode" : "of test mode";
  if (count === 0) return <p>No event {modes} fits: there is nothing to replay.</p>;
  return (
    <p>
      <Figure value={count} unit={count === 1 ? "event" : "events"} /> {modes} {count === 1 ? "fits" : "fit"} these
      filters.
    </p>
  );
}

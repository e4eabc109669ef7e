// How the deliveries of an endpoint went in the last day.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { FigureRow, FigureTile, Section } from "../parts/page-frame.tsx";

const REFRESH_MS = 10_000;

type Statistics = components["schemas"]["WebhookEndpointStatistics"];

export function EndpointFigures({ id }: { id: string }): ReactNode {
  const figures = useRead(
    ["endpoint", id, "stats"],
    (api, signal) => api.get("/api/v1/webhook-endpoints/{id}/stats/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <Section title="The last 24 hours">
      <Loaded of={figures} waiting={<Tiles of={undefined} />}>
        {(answer) => <Tiles of={answer} />}
      </Loaded>
    </Section>
  );
}

/** Without `of` yet: the same tiles. */
function Tiles({ of }: { of: Statistics | undefined }): ReactNode {
  const oldest = of?.oldest_pending_age_seconds ?? null;
  return (
    <div {...(of === undefined ? { role: "status", "aria-label": "Loading" } : {})}>
      <FigureRow>
        <FigureTile label="Delivered">{of && <Figure value={of.deliveries.delivered} />}</FigureTile>
        <FigureTile label="Waiting">
          {of && (
            <>
              <Figure value={of.deliveries.pending} />
              {oldest !== null && <span className="bh-dim">&nbsp;oldest {ageOf(oldest)}</span>}
            </>
          )}
        </FigureTile>
        <FigureTile label="Failed">{of && <Figure value={of.deliveries.failed} />}</FigureTile>
        <FigureTile label="Answered in, median">{of && milliseconds(of.latency_ms.p50)}</FigureTile>
        <FigureTile label="Answered in, 95 %">{of && milliseconds(of.latency_ms.p95)}</FigureTile>
      </FigureRow>
    </div>
  );
}

function milliseconds(value: number | null): ReactNode {
  return value === null ? <span className="bh-dim">–</span> : <Figure value={value} unit="ms" />;
}

const MINUTE = 60;
const HOUR = 3600;

function ageOf(seconds: number): string {
  if (seconds < MINUTE) return `${Math.round(seconds)} s`;
  return seconds < HOUR ? `${Math.round(seconds / MINUTE)} min` : `${Math.round(seconds / HOUR)} h`;
}

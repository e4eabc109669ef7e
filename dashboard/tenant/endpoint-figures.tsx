// How the deliveries of an endpoint went in the last day.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { FigureRow, FigureTile, Section } from "../parts/page-frame.tsx";

const REFRESH_MS = 10_000;

export function EndpointFigures({ id }: { id: string }): ReactNode {
  const figures = useRead(
    ["endpoint", id, "stats"],
    (api, signal) => api.get("/api/v1/webhook-endpoints/{id}/stats/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <Section title="The last 24 hours">
      <Loaded of={figures} lines={3}>
        {({ deliveries, latency_ms: latency, oldest_pending_age_seconds: oldest }) => (
          <FigureRow>
            <FigureTile label="Delivered">
              <Figure value={deliveries.delivered} />
            </FigureTile>
            <FigureTile label="Waiting">
              <Figure value={deliveries.pending} />
              {oldest !== null && <span className="bh-dim">&nbsp;oldest {ageOf(oldest)}</span>}
            </FigureTile>
            <FigureTile label="Failed">
              <Figure value={deliveries.failed} />
            </FigureTile>
            <FigureTile label="Answered in, median">{milliseconds(latency.p50)}</FigureTile>
            <FigureTile label="Answered in, 95 %">{milliseconds(latency.p95)}</FigureTile>
          </FigureRow>
        )}
      </Loaded>
    </Section>
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

// The picture of a chart: an SVG as wide as there is room, and the values of the point that is pointed at or reached by keys.
import { type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode, useMemo, useState } from "react";

import type { ChartProps, ChartSeries } from "./chart.tsx";
import { barsPath, depthOf, linePath, namedPoints, type Scale, scaleOf, valueOf, valueText } from "./chart-scale.ts";

/** Names below it in a wide window; a narrow one shows every other. */
const MOST_NAMED = 10;
/** Points that Page Up and Page Down leap over. */
const LEAP = 10;

type DrawnProps = ChartProps & Required<Pick<ChartProps, "height" | "format" | "axis" | "tick">>;

export function DrawnChart(props: DrawnProps): ReactNode {
  const { label, kind = "bar", points, series, when, format, axis, tick, height, stepOf } = props;
  const [pointed, setPointed] = useState<number>();
  const last = points.length - 1;
  const at = pointed === undefined ? undefined : Math.min(pointed, last);
  const { scale, drawn } = useMemo(() => drawingOf(kind, points, series, stepOf), [kind, points, series, stepOf]);
  const says = (index: number): string =>
    [when(points[index]?.at ?? ""), ...series.map((one) => `${one.label} ${textAt(props, index, one.name)}`)].join(
      ", ",
    );
  const pressed = (event: KeyboardEvent): void => {
    const to = pointBy(event.key, at ?? last, last);
    if (to !== undefined || event.key === "Escape") event.preventDefault();
    if (to !== undefined) setPointed(to);
    else if (event.key === "Escape") setPointed(undefined);
  };
  const pointedAt = (event: PointerEvent): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointed(Math.max(0, Math.min(last, Math.floor(((event.clientX - left) / width) * points.length))));
  };
  return (
    <div className="bh-chart-box" style={{ height }}>
      <Axis scale={scale} axis={axis} />
      <div
        className="bh-chart-plot"
        role="slider"
        tabIndex={0}
        aria-label={`${label}, point by point`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={at ?? last}
        aria-valuetext={says(at ?? last)}
        onPointerMove={pointedAt}
        onPointerDown={pointedAt}
        onPointerLeave={() => setPointed(undefined)}
        onFocus={({ currentTarget }) => currentTarget.matches(":focus-visible") && setPointed(last)}
        onBlur={() => setPointed(undefined)}
        onKeyDown={pressed}
      >
        <svg viewBox={`0 0 ${points.length} 100`} preserveAspectRatio="none" aria-hidden>
          {scale.ticks.map((value) => (
            <path key={value} className="bh-chart-grid" d={`M0 ${depthOf(scale, value)}H${points.length}`} />
          ))}
          {at !== undefined && <path className="bh-chart-here" d={`M${at + 0.5} 0V100`} />}
          {drawn.map(({ name, tone, d }) => (
            <path key={name} className={`bh-chart-${kind}`} data-tone={tone} d={d} />
          ))}
        </svg>
        {at !== undefined && (
          <Tip at={at} of={points.length} title={when(points[at]?.at ?? "")}>
            {series.map(({ name, label: title, tone }) => (
              <p key={name}>
                <span className="bh-chart-name" data-tone={tone}>
                  {title}
                </span>
                <span className="bh-figure">{valueText(points[at]?.[name], format)}</span>
              </p>
            ))}
          </Tip>
        )}
      </div>
      <Times points={points} tick={tick} />
    </div>
  );
}

function Axis({ scale, axis }: { scale: Scale } & Pick<DrawnProps, "axis">): ReactNode {
  return (
    <div className="bh-chart-axis" aria-hidden>
      {scale.ticks.map((value) => (
        <span key={value}>{axis(value)}</span>
      ))}
    </div>
  );
}

function Times({ points, tick }: Pick<DrawnProps, "points" | "tick">): ReactNode {
  return (
    <div className="bh-chart-times" aria-hidden>
      {namedPoints(points.length, MOST_NAMED).map((index, place) => (
        <span
          key={index}
          data-spare={place % 2 === 1 || undefined}
          style={{ left: `${((index + 0.5) / points.length) * 100}%` }}
        >
          {tick(points[index]?.at ?? "")}
        </span>
      ))}
    </div>
  );
}

const textAt = ({ points, format }: DrawnProps, index: number, name: string): string =>
  valueText(points[index]?.[name], format);

function Tip(props: { at: number; of: number; title: string; children: ReactNode }): ReactNode {
  const { at, of, title, children } = props;
  const place = ((at + 0.5) / of) * 100;
  const style = { "--bh-at": `${place}%` } as CSSProperties;
  return (
    <div className="bh-chart-tip" aria-hidden data-side={place < 50 ? "right" : "left"} style={style}>
      <p className="bh-strong">{title}</p>
      {children}
    </div>
  );
}

/** Where a key leads from this point; undefined: it is none of these. */
function pointBy(key: string, at: number, last: number): number | undefined {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -at };
  const step = { ...steps, End: last - at, PageDown: -LEAP, PageUp: LEAP }[key];
  return step === undefined ? undefined : Math.max(0, Math.min(last, at + step));
}

interface Drawn extends ChartSeries {
  /** Of its path. */
  d: string;
}

function drawingOf(
  kind: "bar" | "line",
  points: ChartProps["points"],
  series: readonly ChartSeries[],
  stepOf: ChartProps["stepOf"],
): { scale: Scale; drawn: Drawn[] } {
  if (kind === "line") {
    const lines = series.map(({ name }) => points.map((point) => valueOf(point[name])));
    const scale = scaleOf(
      lines.flat().filter((value) => value !== null),
      stepOf,
    );
    return { scale, drawn: series.map((one, index) => ({ ...one, d: linePath(scale, lines[index] ?? []) })) };
  }
  const bars = series.map(({ name }) => points.map((point) => Math.max(0, valueOf(point[name]) ?? 0)));
  const sums = bars.map((_, index) => points.map((_point, at) => sumAt(bars.slice(0, index), at)));
  const scale = scaleOf(
    points.map((_, at) => sumAt(bars, at)),
    stepOf,
  );
  return {
    scale,
    drawn: series.map((one, index) => ({ ...one, d: barsPath(scale, bars[index] ?? [], sums[index] ?? []) })),
  };
}

const sumAt = (bars: readonly (readonly number[])[], at: number): number =>
  bars.reduce((sum, values) => sum + (values[at] ?? 0), 0);

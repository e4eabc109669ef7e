// A chart of a few figures over time: bars on each other or lines, with a legend, and the table that says the same without a picture.
import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";

import { valueText } from "./chart-scale.ts";
import { DrawnChart } from "./drawn-chart.tsx";

import "./chart.css";

export interface ChartSeries {
  /** The point's field. */
  name: string;
  label: string;
  tone: "accent" | "good" | "warn" | "bad" | "quiet";
}

export interface ChartProps {
  /** Above it; left out: its section says it. */
  title?: string;
  /** What it shows: its name for screen readers, and its table's caption. */
  label: string;
  kind?: "bar" | "line";
  /** null: nobody knows; a line has a gap there. */
  points: readonly ({ at: string } & Record<string, number | string | null>)[];
  series: readonly ChartSeries[];
  /** A point's `at` as people read it. */
  when: (at: string) => string;
  /** The same in short, below the chart; left out: `when`. */
  tick?: (at: string) => string;
  format?: (value: number) => string;
  /** As `format`, beside the chart, where there is little room; left out: 1,200 is 1.2K. */
  axis?: (value: number) => string;
  /** From one line of the axis to the next, no less than so much; left out: 1, 2 or 5 with zeros. */
  stepOf?: (rough: number) => number;
  /** Of the picture; the legend stands above it. */
  height?: number;
}

const HEIGHT = 200;
/** As chart.css has it. */
const HEAD_HEIGHT = "1.5rem";

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const wholeText = (value: number): string => whole.format(value);
const shortText = (value: number): string => short.format(value);

export function Chart(props: ChartProps): ReactNode {
  const { title, label, points, series, when, height = HEIGHT, tick = when } = props;
  const { format = wholeText, axis = shortText } = props;
  return (
    <figure className="bh-chart" aria-label={label}>
      <figcaption className="bh-chart-head">
        {title !== undefined && <span className="bh-strong">{title}</span>}
        <Legend series={series} />
      </figcaption>
      <DrawnChart {...props} height={height} format={format} axis={axis} tick={tick} />
      <div className="bh-hidden">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              {series.map(({ name, label: column }) => (
                <th key={name} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map((point, index) => (
              <tr key={index}>
                <th scope="row">{when(point.at)}</th>
                {series.map(({ name }) => (
                  <td key={name}>{valueText(point[name], format)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

interface PlaceProps {
  isThere: boolean;
  /** Of the chart's picture. */
  height?: number;
  children: ReactNode;
}

/** As high as a chart: before it is there, and where there is nothing to draw. */
export function ChartPlace({ isThere, height = HEIGHT, children }: PlaceProps): ReactNode {
  return (
    <div className="bh-chart-place" style={{ minHeight: `calc(${HEAD_HEIGHT} + ${height}px)` }}>
      {isThere ? (
        children
      ) : (
        <div role="status" aria-label="Loading">
          <Skeleton height="100%" />
        </div>
      )}
    </div>
  );
}

/** The table names them for screen readers. */
function Legend({ series }: { series: readonly ChartSeries[] }): ReactNode {
  return (
    <ul className="bh-chart-legend" aria-hidden>
      {series.map(({ name, label, tone }) => (
        <li key={name} className="bh-chart-name" data-tone={tone}>
          {label}
        </li>
      ))}
    </ul>
  );
}

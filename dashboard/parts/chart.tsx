// A chart with the table behind it. Its code is a piece of its own, loaded by pages that show one.
import { Skeleton } from "@mantine/core";
import { lazy, type ReactNode, Suspense } from "react";

const Drawn = lazy(() => import("./drawn-chart.tsx"));

export interface ChartSeries {
  /** The point's field. */
  name: string;
  label: string;
  tone: "accent" | "good" | "warn" | "bad" | "quiet";
}

export interface ChartProps {
  /** What it shows: its name for screen readers, and its table's caption. */
  label: string;
  kind?: "bar" | "line";
  points: readonly ({ at: string } & Record<string, number | string>)[];
  series: readonly ChartSeries[];
  /** A point's `at` as people read it. */
  when: (at: string) => string;
  format?: (value: number) => string;
  height?: number;
}

export function Chart(props: ChartProps): ReactNode {
  const { label, points, series, when, height = 180, format = (value: number) => value.toLocaleString("en") } = props;
  return (
    <figure className="bh-chart" aria-label={label}>
      <div aria-hidden style={{ height }}>
        <Suspense fallback={<Skeleton height={height} />}>
          <Drawn {...props} height={height} format={format} />
        </Suspense>
      </div>
      <div className="bh-hidden">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              {series.map(({ name, label: title }) => (
                <th key={name} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.at}>
                <th scope="row">{when(point.at)}</th>
                {series.map(({ name }) => (
                  <td key={name}>{format(Number(point[name] ?? 0))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

// The drawing of a chart: Mantine's over recharts. Loaded by chart.tsx alone.
import "@mantine/charts/styles.css";

import { BarChart, LineChart } from "@mantine/charts";
import type { ReactNode } from "react";

import type { ChartProps } from "./chart.tsx";

const COLORS = { accent: "accent.6", good: "teal.6", warn: "yellow.6", bad: "red.6", quiet: "gray.5" } as const;

/** Screen readers get the table beside it: the drawing is hidden from them, and so takes no focus. */
const UNFOCUSED = { accessibilityLayer: false };
/** Figures come anew every few seconds: a drawing that moves each time would never be at rest. */
const STILL = { isAnimationActive: false };

type DrawnProps = ChartProps & Required<Pick<ChartProps, "height" | "format">>;

export default function DrawnChart({ kind = "bar", points, series, when, format, height }: DrawnProps): ReactNode {
  const drawn = series.map(({ name, label, tone }) => ({ name, label, color: COLORS[tone] }));
  const common = {
    h: height,
    data: [...points],
    dataKey: "at",
    series: drawn,
    valueFormatter: format,
    // Across, at the figures.
    gridAxis: "x" as const,
    tickLine: "none" as const,
    withLegend: series.length > 1,
    xAxisProps: { tickFormatter: when, minTickGap: 40 },
    tooltipAnimationDuration: 0,
  };
  if (kind === "line")
    return (
      <LineChart
        {...common}
        lineChartProps={UNFOCUSED}
        lineProps={STILL}
        withDots={false}
        curveType="linear"
        strokeWidth={1.5}
      />
    );
  return <BarChart {...common} barChartProps={UNFOCUSED} barProps={STILL} type="stacked" maxBarWidth={24} />;
}

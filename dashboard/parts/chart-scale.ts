// What the values of a chart are, and where they stand: round figures for its axis, parts of its height, and which points are named below it.

export interface Scale {
  low: number;
  high: number;
  /** From low to high, evenly. */
  ticks: readonly number[];
}

/** So many parts the axis has, or a few more or less. */
const PARTS = 4;
const ROUND = [1, 2, 5, 10];

/** A whole figure with one digit that is not 0, no less than `rough`. */
export function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * (ROUND.find((one) => one * power >= rough) ?? 10);
}

/** Round figures, as `stepOf` has them, with 0 among them, around all values. */
export function scaleOf(values: readonly number[], stepOf: (rough: number) => number = roundStep): Scale {
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const step = stepOf(Math.max((most - least) / PARTS, 1));
  const low = Math.floor(least / step);
  const high = Math.max(Math.ceil(most / step), low + 1);
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => (low + index) * step);
  return { low: low * step, high: high * step, ticks };
}

/** From the chart's upper edge down, of 100. */
export function depthOf({ low, high }: Scale, value: number): number {
  return 100 * (1 - (value - low) / (high - low));
}

/** Which of so many points are named: evenly spread, and none at an end, where its name would be cut off. */
export function namedPoints(count: number, most: number): number[] {
  const every = Math.ceil(count / most);
  return Array.from({ length: count }, (_, index) => index).filter((index) => index % every === Math.floor(every / 2));
}

/** A line from point to point, each in the middle of its unit of width; nothing is drawn where there is no value. */
export function linePath(scale: Scale, values: readonly (number | null)[]): string {
  let before: number | null = null;
  let path = "";
  for (const [index, value] of values.entries()) {
    // A point with no neighbour is a dot: a line of no length with round ends.
    if (value !== null)
      path += `${before === null ? "M" : "L"}${index + 0.5} ${depthOf(scale, value)}${before === null ? "h0" : ""}`;
    before = value;
  }
  return path;
}

/** A bar has so much of its unit of width. */
const BAR = 0.7;

/** Bars that stand on those below them. */
export function barsPath(scale: Scale, values: readonly number[], below: readonly number[]): string {
  return values
    .map((value, index) => {
      if (value <= 0) return "";
      const foot = depthOf(scale, below[index] ?? 0);
      return `M${index + (1 - BAR) / 2} ${foot}V${depthOf(scale, (below[index] ?? 0) + value)}h${BAR}V${foot}z`;
    })
    .join("");
}

export function valueOf(value: number | string | null | undefined): number | null {
  return value === null ? null : Number(value ?? 0);
}

export function valueText(value: number | string | null | undefined, format: (value: number) => string): string {
  const known = valueOf(value);
  return known === null ? "–" : format(known);
}

// How long something took or waits, in the unit that fits.
const STEPS: [unit: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
];

/** From two of a unit on in that unit: 119 s, 2 min. */
export function lengthOf(seconds: number): { value: number; unit: string } {
  const [unit, length] = STEPS.find(([, one]) => seconds >= 2 * one) ?? ["s", 1];
  return { value: Math.round(seconds / length), unit };
}

const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** A short one with its part of a second: what healthy processing takes is less than one. */
export function lengthText(seconds: number): string {
  const { value, unit } = lengthOf(seconds);
  return `${seconds < 10 ? exact.format(seconds) : String(value)} ${unit}`;
}

// How long something took or waits, in the unit that fits.
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const STEPS: [unit: string, seconds: number][] = [
  ["d", DAY],
  ["h", HOUR],
  ["min", MINUTE],
];

/** From two of a unit on in that unit: 119 s, 2 min. */
export function lengthOf(seconds: number): { value: number; unit: string } {
  const [unit, length] = STEPS.find(([, one]) => seconds >= 2 * one) ?? ["s", 1];
  return { value: Math.round(seconds / length), unit };
}

const ROUND_LENGTHS = [
  ...[1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR],
];

/** The next round length in the unit that it is said in; of days whole ones. */
export function roundLength(seconds: number): number {
  return ROUND_LENGTHS.find((one) => one >= seconds) ?? Math.ceil(seconds / DAY) * DAY;
}

const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** A short one with its part of a second: what healthy processing takes is less than one. */
export function lengthText(seconds: number): string {
  const { value, unit } = lengthOf(seconds);
  return `${seconds < 10 ? exact.format(seconds) : String(value)} ${unit}`;
}

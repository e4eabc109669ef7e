// Values of command line options: times (Unix seconds, ISO 8601, or an age such as 90m, 24h, 7d) and counts. Pure.
import { InvalidArgumentError } from "commander";

import type { Clock } from "../base/clock.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** As the API takes it: Unix seconds as text. Throws commander's error for what is no time. */
export function timeArgument(clock: Clock): (text: string) => string {
  return (text) => {
    if (/^\d{9,11}$/.test(text)) return text;
    const ago = /^(\d{1,6})([smhdw])$/.exec(text);
    if (ago !== null) {
      return String(Math.floor(clock.now() / 1000) - Number(ago[1]) * (UNIT_SECONDS[ago[2] ?? ""] ?? 1));
    }
    const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(at)) {
      throw new InvalidArgumentError(
        "give Unix seconds, an ISO time such as 2026-11-20T12:00:00Z, or an age such as 24h.",
      );
    }
    return String(Math.floor(at / 1000));
  };
}

/** A whole number in a range, for an option. */
export function countArgument(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`give a whole number from ${least} to ${most}.`);
    return value;
  };
}

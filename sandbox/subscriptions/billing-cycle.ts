// When billing periods begin and end: whole intervals counted from one anchor, in UTC. Pure.

export interface Recurrence {
  interval: string;
  interval_count: number;
}

export interface Period {
  start: number;
  end: number;
}

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/**
 * The moment `count` intervals after the anchor (before it, when negative), in unix seconds. Months and years keep the
 * anchor's day where the month has it, and else end with the month: 31 January, 28 February, 31 March.
 */
export function cycleStart(anchor: number, { interval, interval_count }: Recurrence, count: number): number {
  const steps = count * interval_count;
  if (interval === "day") return anchor + steps * DAY;
  if (interval === "week") return anchor + steps * 7 * DAY;
  if (interval === "month") return addMonths(anchor, steps);
  if (interval === "year") return addMonths(anchor, steps * 12);
  throw new Error(`no interval is called ${interval}`);
}

/** The period that holds `at`: from the last cycle start that is not after it to the next one. */
export function cycleAt(anchor: number, recurrence: Recurrence, at: number): Period {
  let count = Math.floor((at - anchor) / approximateLength(recurrence)) - 1;
  while (cycleStart(anchor, recurrence, count) > at) count -= 1;
  while (cycleStart(anchor, recurrence, count + 1) <= at) count += 1;
  return { start: cycleStart(anchor, recurrence, count), end: cycleStart(anchor, recurrence, count + 1) };
}

/** The longest that the interval can be: an estimate to start counting from. */
function approximateLength({ interval, interval_count }: Recurrence): number {
  const days = { day: 1, week: 7, month: 31, year: 366 }[interval];
  if (days === undefined) throw new Error(`no interval is called ${interval}`);
  return days * DAY * interval_count;
}

function addMonths(anchor: number, months: number): number {
  const from = new Date(anchor * 1000);
  const month = from.getUTCMonth() + months;
  const day = Math.min(from.getUTCDate(), daysOfMonth(from.getUTCFullYear(), month));
  const clock = anchor - Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate()) / 1000;
  return Date.UTC(from.getUTCFullYear(), month, day) / 1000 + clock;
}

/** `month` may run over the year's ends. */
function daysOfMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

export interface AnchorConfig {
  day_of_month: number;
  hour?: number | null;
  minute?: number | null;
  month?: number | null;
  second?: number | null;
}

/** The first moment after `start` that the config names; hour, minute and second are those of the start unless named. */
export function configuredAnchor(config: AnchorConfig, start: number): number {
  const from = new Date(start * 1000);
  const { hour = null, month: namedMonth = null } = config;
  // Once an hour is named, what is left out below it is zero.
  const minute = config.minute ?? (hour === null ? from.getUTCMinutes() : 0);
  const second = config.second ?? (hour === null ? from.getUTCSeconds() : 0);
  const firstMonth = namedMonth === null ? from.getUTCMonth() : namedMonth - 1;
  const step = namedMonth === null ? 1 : 12;
  for (let month = firstMonth; ; month += step) {
    const day = Math.min(config.day_of_month, daysOfMonth(from.getUTCFullYear(), month));
    const moment = Date.UTC(from.getUTCFullYear(), month, day, hour ?? from.getUTCHours(), minute, second) / 1000;
    if (moment > start) return moment;
  }
}

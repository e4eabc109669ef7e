// When a card expires soon enough to be told. Pure.

/** A card works until the last day of its month. */
export const WARNING_DAYS = 30;

/** The months, as year · 12 + month − 1, whose last day is at most so many days away; a card of an earlier one has expired. */
export function expiringMonths(now: Date): { from: number; to: number } {
  const until = new Date(now.getTime() + WARNING_DAYS * 86_400_000);
  const monthOf = (day: Date): number => day.getUTCFullYear() * 12 + day.getUTCMonth();
  const lastDay = new Date(Date.UTC(until.getUTCFullYear(), until.getUTCMonth() + 1, 0));
  const reached = until.getUTCDate() === lastDay.getUTCDate();
  return { from: monthOf(now), to: reached ? monthOf(until) : monthOf(until) - 1 };
}

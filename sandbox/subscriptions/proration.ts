// What a part of a billing period costs: Stripe counts seconds and rounds each amount once. Pure.
import { shareOf } from "../invoices/money.ts";
import type { Period } from "./billing-cycle.ts";

/** `amount` for the part of the period from `at` on, to the nearest smallest unit. All of it at the start, 0 at the end. */
export function remainingAmount(amount: number, { start, end }: Period, at: number): number {
  if (end <= start) return 0;
  return shareOf(amount, Math.min(Math.max(end - at, 0), end - start), end - start);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "Unused time on 2 × Gold after 21 Nov 2026" */
export function prorationDescription(kind: "Unused" | "Remaining", name: string, quantity: number, at: number): string {
  const day = new Date(at * 1000);
  const month = MONTHS[day.getUTCMonth()] ?? "";
  const date = `${String(day.getUTCDate()).padStart(2, "0")} ${month} ${day.getUTCFullYear()}`;
  return `${kind} time on ${quantity === 1 ? "" : `${quantity} × `}${name} after ${date}`;
}

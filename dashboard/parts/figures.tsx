// Numbers and money in figures of one width, so that columns of them can be read down.
import type { ReactNode } from "react";

import { money } from "../../kit/react/money.ts";

const whole = new Intl.NumberFormat("en");
const signed = new Intl.NumberFormat("en", { signDisplay: "exceptZero" });

export interface FigureProps {
  value: number | null;
  /** With a plus before what is added. */
  withSign?: boolean;
  /** Behind it, quieter: `credits`. */
  unit?: string;
}

export function Figure({ value, withSign = false, unit }: FigureProps): ReactNode {
  if (value === null) return <span className="bh-dim">–</span>;
  return (
    <span className="bh-figure">
      {(withSign ? signed : whole).format(value)}
      {unit !== undefined && <span className="bh-dim"> {unit}</span>}
    </span>
  );
}

/** `amount` in the currency's smallest unit, as the API has it. */
export function MoneyText({ amount, currency }: { amount: number | null; currency: string | null }): ReactNode {
  if (amount === null || currency === null) return <span className="bh-dim">–</span>;
  return (
    <span className="bh-figure">
      {money(amount, currency, "en")} <span className="bh-dim">{currency.toUpperCase()}</span>
    </span>
  );
}

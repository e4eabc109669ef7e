// The items of a new invoice: what, how many, and the price of each.
import { Button, NumberInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { minorUnits } from "./amounts.ts";

export interface Line {
  /** In this form alone. */
  key: number;
  description: string;
  quantity: number;
  /** As typed: `12.50`. */
  amount: string;
}

export const NO_LINE = { description: "", quantity: 1, amount: "" };
/** As the API takes it. */
const MOST = 50;

/** In minor units; undefined: what is typed is no amount of this currency. */
export function lineTotal({ amount, quantity }: Line, currency: string): number | undefined {
  const each = minorUnits(amount, currency);
  const total = each === undefined ? undefined : each * quantity;
  return Number.isSafeInteger(total) ? total : undefined;
}

export interface InvoiceLinesProps {
  lines: Line[];
  currency: string;
  change: (lines: Line[]) => void;
}

export function InvoiceLines({ lines, currency, change }: InvoiceLinesProps): ReactNode {
  const next = Math.max(...lines.map(({ key }) => key)) + 1;
  return (
    <fieldset className="bh-lines">
      <legend className="bh-strong">Items</legend>
      {lines.map((line, index) => (
        <OneLine
          key={line.key}
          line={line}
          number={index + 1}
          currency={currency}
          change={(part) => change(lines.map((one) => (one === line ? { ...line, ...part } : one)))}
          remove={lines.length === 1 ? undefined : () => change(lines.filter((one) => one !== line))}
        />
      ))}
      <Button
        mt="sm"
        size="xs"
        variant="default"
        disabled={lines.length >= MOST}
        onClick={() => change([...lines, { ...NO_LINE, key: next }])}
      >
        Add an item
      </Button>
    </fieldset>
  );
}

interface OneLineProps {
  line: Line;
  number: number;
  currency: string;
  change: (part: Partial<Line>) => void;
  remove: (() => void) | undefined;
}

function OneLine({ line, number, currency, change, remove }: OneLineProps): ReactNode {
  const wrong = line.amount !== "" && minorUnits(line.amount, currency) === undefined;
  return (
    <div className="bh-line">
      <TextInput
        label="Description"
        aria-label={`Description of item ${number}`}
        required
        maxLength={500}
        value={line.description}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      <NumberInput
        label="Quantity"
        aria-label={`Quantity of item ${number}`}
        min={1}
        max={1_000_000}
        allowDecimal={false}
        hideControls
        value={line.quantity}
        onChange={(value) => change({ quantity: typeof value === "number" ? value : 1 })}
      />
      <TextInput
        label="Each"
        aria-label={`Price of item ${number}`}
        inputMode="decimal"
        placeholder="0.00"
        required
        value={line.amount}
        error={wrong ? "No amount" : undefined}
        onChange={({ currentTarget }) => change({ amount: currentTarget.value })}
      />
      <Button variant="default" disabled={remove === undefined} aria-label={`Remove item ${number}`} onClick={remove}>
        Remove
      </Button>
    </div>
  );
}

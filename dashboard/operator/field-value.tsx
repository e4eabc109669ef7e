// One field of an object, as people read it: money with its currency, times as distances, ids as links.
import type { ReactNode } from "react";

import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { dash } from "./cells.tsx";
import { type ObjectScope, pathOf } from "./object-paths.ts";

export interface FieldContext extends ObjectScope {
  /** Of the object's amounts. */
  currency: string | null;
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
/** Words of the API: `charge_automatically`. */
const WORDS = /^[a-z]+(_[a-z]+)+$/;
const MONEY = /(^|_)(amount|subtotal|total|tax|balance|remaining|due|paid|received|capturable)(_|$)/;
const STATUS = /(^|_)status$/;

export function FieldValue({ name, value, of }: { name: string; value: unknown; of: FieldContext }): ReactNode {
  if (value === null || value === undefined || value === "") return dash;
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "number") {
    const isMoney = of.currency !== null && MONEY.test(name) && !name.endsWith("_count") && !name.startsWith("days");
    return isMoney ? <MoneyText amount={value} currency={of.currency} /> : <Figure value={value} />;
  }
  if (typeof value === "object") return <Inline value={value} />;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (STATUS.test(name)) return <StatusDot status={text} />;
  if (TIME.test(text)) return <RelativeTime at={text} />;
  if (name.endsWith("_id") || pathOf(text, of) !== undefined) return <AnId id={text} of={of} />;
  if (WORDS.test(text)) return wordOf(text);
  return text.startsWith("https://") ? <Away href={text} /> : text;
}

/** `customer_id` is the customer to a reader. */
export function labelOf(name: string): string {
  return LABELS[name] ?? wordOf(name.replace(/_id$/, ""));
}

const LABELS: Readonly<Record<string, string>> = { stripe_created: "Created", updated_at: "Changed here" };

function AnId({ id, of }: { id: string; of: FieldContext }): ReactNode {
  const to = pathOf(id, of);
  return <IdText id={id} {...(to === undefined ? {} : { to })} />;
}

/** Stripe's own pages: the invoice that the customer sees, its PDF. */
function Away({ href }: { href: string }): ReactNode {
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {new URL(href).hostname}
    </a>
  );
}

function Inline({ value }: { value: object }): ReactNode {
  const entries = Object.entries(value);
  if (entries.length === 0) return dash;
  if (Array.isArray(value)) return <code className="bh-mono">{JSON.stringify(value)}</code>;
  return (
    <span className="bh-mono">
      {entries.map(([key, inner]) => `${key}: ${typeof inner === "string" ? inner : JSON.stringify(inner)}`).join(", ")}
    </span>
  );
}

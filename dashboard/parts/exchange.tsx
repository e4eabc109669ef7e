// What went over the wire, as it was: headers and bodies.
import type { ReactNode } from "react";

import { JsonView } from "./json-view.tsx";

import "./exchange.css";

export function HeaderList({ headers, label }: { headers: Record<string, unknown> | null; label: string }): ReactNode {
  if (headers === null) return null;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  return (
    <>
      <h3>Headers</h3>
      <pre className="bh-raw" tabIndex={0} aria-label={label}>
        {lines.join("\n")}
      </pre>
    </>
  );
}

/** JSON to look into, or any other text as it is. */
export function Raw({ text, label }: { text: string | null; label: string }): ReactNode {
  if (text === null || text === "") return <p className="bh-dim">Empty</p>;
  const parsed = parsedOf(text);
  if (parsed !== undefined) return <JsonView value={parsed} label={label} />;
  return (
    <pre className="bh-raw" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

function parsedOf(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    // No JSON: shown as text.
    return undefined;
  }
}

// JSON to look into: branches open and close, large ones are cut until they are asked for, and the whole can be copied.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { CopyButton } from "./id-text.tsx";

/** Entries of one branch that are in the document at a time. */
const AT_ONCE = 100;
/** Branches so deep are open at first. */
const OPEN_DEPTH = 2;

export interface JsonViewProps {
  value: unknown;
  /** For screen readers: `Payload`. */
  label: string;
}

export function JsonView({ value, label }: JsonViewProps): ReactNode {
  return (
    <div className="bh-json" role="region" aria-label={label} tabIndex={0}>
      <div className="bh-json-copy">
        <CopyButton text={JSON.stringify(value, null, 2)} label={`Copy ${label}`} />
      </div>
      <Branch name={undefined} value={value} depth={0} />
    </div>
  );
}

function Branch({ name, value, depth }: { name: string | undefined; value: unknown; depth: number }): ReactNode {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const [shown, setShown] = useState(AT_ONCE);
  if (typeof value !== "object" || value === null) return <Leaf name={name} value={value} />;
  const entries = Object.entries(value as Record<string, unknown>);
  const [first, last] = Array.isArray(value) ? "[]" : "{}";
  const key = name === undefined ? null : <span className="bh-json-key">{name}: </span>;
  if (entries.length === 0) {
    return (
      <div className="bh-json-line">
        {key}
        {first}
        {last}
      </div>
    );
  }
  return (
    <div className="bh-json-line">
      <button type="button" className="bh-json-fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {key}
        {first}
        {!isOpen && <span className="bh-dim"> {entries.length} … </span>}
        {!isOpen && last}
      </button>
      {isOpen && (
        <>
          <div className="bh-json-inner">
            {entries.slice(0, shown).map(([entry, inner]) => (
              <Branch key={entry} name={Array.isArray(value) ? undefined : entry} value={inner} depth={depth + 1} />
            ))}
            {entries.length > shown && (
              <Button size="compact-xs" variant="subtle" onClick={() => setShown(shown + AT_ONCE)}>
                {entries.length - shown} more
              </Button>
            )}
          </div>
          {last}
        </>
      )}
    </div>
  );
}

function Leaf({ name, value }: { name: string | undefined; value: unknown }): ReactNode {
  return (
    <div className="bh-json-line">
      {name !== undefined && <span className="bh-json-key">{name}: </span>}
      <span className="bh-json-value" data-type={value === null ? "null" : typeof value}>
        {JSON.stringify(value)}
      </span>
    </div>
  );
}

// Ids as they are read: monospace, shortened in the middle, copied whole by a button that says so.
import { type ReactNode, useEffect, useState } from "react";

import { Icon } from "./icons.tsx";
import { PageLink } from "./page-link.tsx";

const COPIED_MS = 1500;
const HEAD = 12;
const TAIL = 6;

export interface IdTextProps {
  id: string;
  /** A page inside the dashboard; undefined: no page shows it. */
  to?: string | undefined;
  /** Shown whole, where there is room. */
  whole?: boolean;
  /** Without the button: in a list that has one link to a row. */
  plain?: boolean;
}

export function IdText({ id, to, whole = false, plain = false }: IdTextProps): ReactNode {
  const text = whole ? id : shortened(id);
  return (
    <span className="bh-id">
      {to === undefined ? (
        <span title={id}>{text}</span>
      ) : (
        <PageLink to={to} title={id}>
          {text}
        </PageLink>
      )}
      {!plain && <CopyButton text={id} label={`Copy ${id}`} />}
    </span>
  );
}

export function shortened(id: string): string {
  return id.length <= HEAD + TAIL + 1 ? id : `${id.slice(0, HEAD)}…${id.slice(-TAIL)}`;
}

/** Copies, and says so for a moment, also aloud. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <>
      <button type="button" className="bh-copy" aria-label={label} title={label} onClick={copy}>
        <Icon name={copied ? "done" : "copy"} size={13} />
      </button>
      <span role="status" className="bh-hidden">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

// Ids as they are read: monospace, shortened in the middle, copied whole by a button that says so.
import { type ReactNode, useEffect, useState } from "react";

import { Icon } from "./icons.tsx";
import { PageLink } from "./page-link.tsx";
import { told } from "./told.ts";

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

/** Copies, and says so for a moment, also aloud; so too where the browser lets no page copy. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    write(text).then(
      () => setCopied(true),
      () => told("This browser does not let a page copy: select the text instead."),
    );
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

/** Rejects where a page may not; by plain http there is no clipboard at all. */
async function write(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

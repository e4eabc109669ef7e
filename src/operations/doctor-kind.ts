// What a kind of finding says: how bad it is, why it is, and what mends it. Pure.

/** error: money or events are lost or wrong · warning: they will be, or somebody waits · notice: worth knowing · ok: how it stands */
export const SEVERITIES = ["error", "warning", "notice", "ok"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface FindingKind {
  severity: Severity;
  title: string;
  /** `{name}` is filled with what was found. */
  cause: string;
  /** The same where `{count}` is 1. */
  causeOfOne: string;
  mend: string;
}

/** In `cause`, `[event was|events were]` is what it says of one, and of many. */
export const kind = (severity: Severity, title: string, cause: string, mend: string): FindingKind => ({
  severity,
  title,
  cause: cause.replace(NUMBERED, "$2"),
  causeOfOne: cause.replace(NUMBERED, "$1"),
  mend,
});

const NUMBERED = /\[([^|\]]*)\|([^\]]*)\]/g;

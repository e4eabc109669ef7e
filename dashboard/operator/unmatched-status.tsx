// How an unmatched purchase stands, in its list and on its page.
import type { ReactNode } from "react";

import { StatusDot, type Tone } from "../parts/status-dot.tsx";
import type { Unmatched } from "./operator-reads.ts";

export function UnmatchedStatus({ of: { status } }: { of: Pick<Unmatched, "status"> }): ReactNode {
  return <StatusDot status={status} tone={toneOf(status)} />;
}

function toneOf(status: Unmatched["status"]): Tone {
  if (status === "open") return "warn";
  if (status === "resolving") return "busy";
  return status === "matched" || status === "assigned" ? "good" : "quiet";
}

// A status as a dot and a word. One table says which colour each status of the product has.
import type { ReactNode } from "react";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

/** By status, whatever it is the status of; one that is not here is quiet. */
const TONES: Record<Tone, string> = {
  good: "active paid succeeded processed delivered sent won connected enabled complete completed done verified accepted granted ready ok",
  busy: "pending processing queued waiting trial trialing open running in_progress requires_action requires_confirmation requires_capture action_required invited scheduled",
  warn: "past_due requires_payment_method incomplete restricted uncollectible needs_response warning_needs_response under_review warning_under_review unrouted unmatched paused kept partially_refunded retrying refunded",
  bad: "failed payment_failed unpaid lost disabled revoked rejected dead disputed charge_refunded blocked error",
  quiet:
    "draft void canceled cancelled ignored expired incomplete_expired disconnected not_connected dismissed dropped removed inactive archived",
};

const TONE_OF = new Map(
  (Object.keys(TONES) as Tone[]).flatMap((tone) => TONES[tone].split(" ").map((status) => [status, tone] as const)),
);

export interface StatusDotProps {
  /** As the API has it: `past_due`. */
  status: string | null;
  /** Other words for it. */
  label?: string;
  /** Where the same word means something else. */
  tone?: Tone;
}

export function StatusDot({ status, label, tone }: StatusDotProps): ReactNode {
  const word = label ?? (status === null ? "Unknown" : wordOf(status));
  return (
    <span className="bh-status" data-tone={tone ?? TONE_OF.get(status ?? "") ?? "quiet"}>
      {word}
    </span>
  );
}

/** `past_due` → `Past due`. */
export function wordOf(status: string): string {
  const words = status.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

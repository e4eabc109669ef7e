// What is typed into a form, field by field.
import { useState } from "react";

export type Change<Draft> = (part: Partial<Draft>) => void;

/** Each change is made to what stands by then: of two that come before the page is drawn again both are kept. */
export function useDraft<Draft>(first: Draft | (() => Draft)): [Draft, Change<Draft>] {
  const [draft, setDraft] = useState(first);
  return [draft, (part) => setDraft((now) => ({ ...now, ...part }))];
}

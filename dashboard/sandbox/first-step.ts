// What one of the first steps is: what it says, and what is pressed for it.
import type { ReactNode } from "react";

/** How often the page looks whether a step is done. */
export const LOOK_MS = 3000;

export interface Step {
  title: string;
  text: ReactNode;
  /** A link into the product, or something that is done at once. */
  act: { label: string; to: string } | { label: string; run: () => void; isBusy: boolean };
  /** Undefined: it is not known yet. */
  done: boolean | undefined;
}

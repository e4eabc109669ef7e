// When what is replaced stops: at once, or after a time in which both work.
import { Select } from "@mantine/core";
import type { ReactNode } from "react";

/** Seconds, as the API takes them. */
const GRACES = [
  { value: "0", label: "At once" },
  { value: "3600", label: "After an hour" },
  { value: "86400", label: "After a day" },
  { value: "604800", label: "After a week" },
];
/** Servers need time to take the new ones. */
export const FIRST_GRACE = 86_400;

export interface GraceFieldProps {
  label: string;
  /** Seconds. */
  value: number;
  change: (seconds: number) => void;
  /** What it means for who has the old one. */
  atOnce: string;
  later: string;
}

export function GraceField({ label, value, change, atOnce, later }: GraceFieldProps): ReactNode {
  return (
    <>
      <Select
        label={label}
        data={GRACES}
        value={String(value)}
        allowDeselect={false}
        onChange={(chosen) => change(chosen === null ? FIRST_GRACE : Number(chosen))}
      />
      <p className="bh-dim">{value === 0 ? atOnce : later}</p>
    </>
  );
}

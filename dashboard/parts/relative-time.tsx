// Times as distances, exact on hover and focus; one clock ticks for the whole page.
import { Tooltip } from "@mantine/core";
import { type FocusEvent, type PointerEvent, type ReactNode, useRef, useState, useSyncExternalStore } from "react";

const TICK_MS = 10_000;
/** The pointer only passes by, if it stays for less. */
const REST_MS = 150;

let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds, anew every ten seconds. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "long" });

/** `at`: ISO 8601. Null: a dash. */
export function RelativeTime({ at }: { at: string | null }): ReactNode {
  const current = useNow();
  const { asked, ...asking } = useAsked();
  if (at === null) return <span className="bh-dim">–</span>;
  const time = Date.parse(at);
  const said = exact.format(time);
  return (
    <>
      <time dateTime={at} tabIndex={0} className="bh-time" aria-description={said} {...asking}>
        {distance((time - Math.max(current, Date.now())) / 1000)}
      </time>
      {asked !== null && <Tooltip target={asked} label={said} defaultOpened />}
    </>
  );
}

/**
 * The element that the pointer rests on, or that has the focus, and what tells of it. A tooltip is made for that one alone: in a
 * list one for each row costs more than all else of the row.
 */
function useAsked() {
  const [asked, setAsked] = useState<HTMLElement | null>(null);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const answer = (element: HTMLElement | null, after = 0): void => {
    clearTimeout(waiting.current);
    if (after === 0) setAsked(element);
    else waiting.current = setTimeout(() => setAsked(element), after);
  };
  return {
    asked,
    onPointerEnter: ({ currentTarget }: PointerEvent<HTMLElement>) => answer(currentTarget, REST_MS),
    onPointerLeave: () => answer(null),
    onFocus: ({ currentTarget }: FocusEvent<HTMLElement>) => answer(currentTarget),
    onBlur: () => answer(null),
  };
}

function distance(seconds: number): string {
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  if (unit === "second") return seconds > 0 ? "in a moment" : "just now";
  return relative.format(Math.trunc(seconds / size), unit);
}

/** The whole time, where there is room for it. */
export function ExactTime({ at }: { at: string | null }): ReactNode {
  if (at === null) return <span className="bh-dim">–</span>;
  return <time dateTime={at}>{exact.format(Date.parse(at))}</time>;
}

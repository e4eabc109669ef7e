// Progress on stderr: a bar with a rate and the remaining time on a terminal, elsewhere a line every few seconds.
import { SingleBar } from "cli-progress";

import type { Clock } from "../base/clock.ts";
import { numberIn } from "./fields.ts";
import { note, print } from "./output.ts";
import type { Row } from "./table.ts";

export interface ProgressDisplay {
  show(progress: Row): void;
  /** Text of the answer, which must not break the bar. */
  above(text: string): void;
  end(): void;
}

const LINE_EVERY_MS = 3000;
const BAR = "{bar} {percentage}%  {value}/{total}  {rate}/s  {left} left";

export function progressDisplay(clock: Clock, kind: "bar" | "none"): ProgressDisplay {
  if (kind === "none") return { show: () => undefined, above: print, end: () => undefined };
  return process.stderr.isTTY ? barDisplay() : lineDisplay(clock);
}

function barDisplay(): ProgressDisplay {
  const bar = new SingleBar({
    format: BAR,
    // Ctrl-C ends us in the middle: what is turned off in the terminal then stays off. Long lines are cut instead.
    linewrap: true,
    barsize: 30,
    stream: process.stderr,
    clearOnComplete: false,
  });
  let started = false;
  return {
    show: (progress) => {
      const [total, done] = counted(progress);
      const shown = { rate: Math.round(rateIn(progress)), left: remaining(progress) };
      if (!started) bar.start(total, done, shown);
      else {
        bar.setTotal(total);
        bar.update(done, shown);
      }
      started = true;
    },
    above: (text) => {
      // The bar is drawn again at the next step.
      if (started) process.stderr.write("\r\u001b[K");
      print(text);
    },
    end: () => {
      if (started) bar.stop();
    },
  };
}

function lineDisplay(clock: Clock): ProgressDisplay {
  let told = clock.monotonic();
  return {
    show: (progress) => {
      if (clock.monotonic() - told < LINE_EVERY_MS) return;
      told = clock.monotonic();
      const [total, done] = counted(progress);
      note(`${done} of ${total} objects, ${Math.round(rateIn(progress))}/s, ${remaining(progress)} left`);
    },
    above: print,
    end: () => undefined,
  };
}

/** Total and done. Objects come in while it runs, and rows are found that no event explains: the total grows with them. */
function counted(progress: Row): [number, number] {
  const done = numberIn(progress, "done");
  return [Math.max(numberIn(progress, "total"), done), done];
}

function rateIn(progress: Row): number {
  return numberIn(progress, "per_second");
}

/** `1h 2m`, `3m 10s`, `5s`. */
function remaining(progress: Row): string {
  const rate = rateIn(progress);
  if (rate === 0) return "?";
  const seconds = Math.max(0, Math.round((numberIn(progress, "total") - numberIn(progress, "done")) / rate));
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m ${seconds % 60}s` : `${seconds}s`;
}

// Ends what takes too long: one timer for all that may take as long, since a timer for each is half of what a short exchange costs.
import { systemClock } from "../base/clock.ts";

export interface Endable {
  /** Its time is over. */
  expire(): void;
}

/** Those that may take so many milliseconds, the one that began first at the front. */
class Line {
  readonly #milliseconds: number;
  readonly #until = new Map<Endable, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  add(one: Endable): void {
    this.#until.set(one, systemClock.monotonic() + this.#milliseconds);
    this.#arm(this.#milliseconds);
  }

  delete(one: Endable): void {
    this.#until.delete(one);
  }

  #arm(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, milliseconds);
    // What it waits for has a socket or a question open, which keep the process.
    this.#timer.unref();
  }

  #look(): void {
    const now = systemClock.monotonic();
    for (const [one, until] of this.#until) {
      if (until > now) {
        this.#arm(Math.ceil(until - now));
        return;
      }
      this.#until.delete(one);
      one.expire();
    }
    lines.delete(this.#milliseconds);
  }
}

const lines = new Map<number, Line>();

/** Where what may take so many milliseconds is added, and deleted once it has ended. */
export function deadline(milliseconds: number): Line {
  const known = lines.get(milliseconds);
  if (known !== undefined) return known;
  const line = new Line(milliseconds);
  lines.set(milliseconds, line);
  return line;
}

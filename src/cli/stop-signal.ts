// The wish to stop: SIGTERM or Ctrl-C once for a graceful end, again for an end at once, and a limit on grace.
import { systemClock } from "../base/clock.ts";

export interface StopSignal {
  /** Resolves with the first signal's name. */
  requested: Promise<string>;
  /** Terminals that close send SIGHUP; with a log file it means something else. */
  onHangup(): void;
  /** Who is told why the end is not graceful. */
  explain(tell: (reason: string) => void): void;
}

/** npm, shells and process groups pass one signal on several times; a person needs longer for a second Ctrl-C. */
const SAME_SIGNAL_MS = 1000;
const GRACE_MS = 30_000;

export function stopSignal(): StopSignal {
  let first: number | undefined;
  let tell: (reason: string) => void = () => undefined;
  let resolve: (signal: string) => void = () => undefined;
  const requested = new Promise<string>((done) => {
    resolve = done;
  });
  const endNow = (reason: string): void => {
    tell(reason);
    process.exit(1);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = systemClock.monotonic();
    if (first === undefined) {
      first = now;
      setTimeout(() => endNow(`not stopped after ${GRACE_MS / 1000} s: the process ends now`), GRACE_MS).unref();
      resolve(signal);
    } else if (now - first > SAME_SIGNAL_MS) endNow("a second signal came: the process ends now");
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return {
    requested,
    onHangup: () => void process.on("SIGHUP", onSignal),
    explain: (teller) => {
      tell = teller;
    },
  };
}

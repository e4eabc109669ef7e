// Chaos: what befalls a share of the deliveries. Drawn from the seed, the event and the endpoint, so it can be repeated.
import { createHash } from "node:crypto";

import { givenFlag, givenNumber, type Given } from "./given.ts";

export interface Waits {
  /** Of the deliveries, from 0 to 1. */
  share: number;
  ms: number;
}

export interface ChaosSettings {
  seed: number;
  /** The share that is sent twice. */
  duplicate: number;
  /** The share that waits a drawn time of up to `ms` first: those that follow overtake it. */
  reorder: Waits;
  /** The share that comes `ms` late. */
  delay: Waits;
  /** The share whose first attempt is not made. */
  drop: number;
  /** What is dropped is never sent: only the list of events has it. */
  forget: boolean;
}

export type ChaosOptions = Partial<Omit<ChaosSettings, "reorder" | "delay">> & {
  reorder?: number | Partial<Waits>;
  delay?: number | Partial<Waits>;
};

/** How long a share that is given as a bare number waits. */
const REORDER_MS = 500;
const DELAY_MS = 3000;

export const NO_CHAOS: ChaosSettings = {
  seed: 1,
  duplicate: 0,
  reorder: { share: 0, ms: REORDER_MS },
  delay: { share: 0, ms: DELAY_MS },
  drop: 0,
  forget: false,
};

/** The settings with what is given put in; the rest as it was. Ends the call when a share is none. */
export function readChaos(given: Given, old: ChaosSettings): ChaosSettings {
  const share = (name: string, from: Given, before: number): number =>
    givenNumber(from, name, { from: 0, to: 1 }) ?? before;
  const waits = (name: "reorder" | "delay"): Waits => {
    const value = given[name];
    if (typeof value !== "object" || value === null)
      return { ...old[name], share: share(name, given, old[name].share) };
    const inner = value as Given;
    return {
      share: share("share", inner, old[name].share),
      ms: givenNumber(inner, "ms", { from: 0, to: 3_600_000 }) ?? old[name].ms,
    };
  };
  return {
    seed: givenNumber(given, "seed", { from: 0, to: 2 ** 32 }) ?? old.seed,
    duplicate: share("duplicate", given, old.duplicate),
    reorder: waits("reorder"),
    delay: waits("delay"),
    drop: share("drop", given, old.drop),
    forget: givenFlag(given, "forget") ?? old.forget,
  };
}

/** What befalls one delivery's first attempt. */
export interface Fate {
  waitMs: number;
  /** After this time it is sent once more; undefined: it is not. */
  copyAfterMs: number | undefined;
  dropped: "not" | "once" | "forever";
}

export const PLAIN_FATE: Fate = { waitMs: 0, copyAfterMs: undefined, dropped: "not" };

export function fateOf(settings: ChaosSettings, event: string, endpoint: string): Fate {
  const { seed, duplicate, reorder, delay, drop, forget } = settings;
  const draw = (what: string): number => {
    const digest = createHash("sha256").update(`${seed} ${event} ${endpoint} ${what}`).digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  };
  if (draw("drop") < drop) return { ...PLAIN_FATE, dropped: forget ? "forever" : "once" };
  const moved = draw("reorder") < reorder.share ? draw("wait") * reorder.ms : 0;
  const late = draw("delay") < delay.share ? delay.ms : 0;
  return {
    waitMs: moved + late,
    copyAfterMs: draw("duplicate") < duplicate ? draw("copy") * reorder.ms : undefined,
    dropped: "not",
  };
}

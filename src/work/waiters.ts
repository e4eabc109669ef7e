// Waiters: many who wait for the state of something, read for all of them together. A query serves a node, never one waiter.
import { setTimeout as sleep } from "node:timers/promises";

export interface Waiter<State> {
  /** The state now, and again whenever it may have changed. */
  told: (state: State) => void;
  /** Nothing is known yet, and it cannot be read. */
  failed: (error: unknown) => void;
  /** We stop: `state` is the last that is known. */
  ended: (state: State | undefined) => void;
}

export interface WaitersOptions<Subject, State> {
  /** The states, in the order of the subjects. */
  read: (subjects: readonly Subject[]) => Promise<readonly State[]>;
  /** Two subjects with one name are the same. */
  nameOf: (subject: Subject) => string;
  /** What to signal when a state may have changed; it may depend on the state. */
  keysOf: (subject: Subject, state: State | undefined) => readonly string[];
  /** Equal states are told once. */
  revisionOf: (state: State) => string;
  onError: (error: unknown) => void;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  pace?: Partial<typeof PACE>;
}

export interface Waiters<Subject, State> {
  /** Tells the waiter the state now and from then on, until what it returns is called. */
  wait(subject: Subject, waiter: Waiter<State>): () => void;
  /** These may have changed, as a commit of this process has it. */
  changed(keys: readonly string[]): void;
  /** Anything may have changed: another process committed. */
  changedElsewhere(): void;
  /** How many wait. */
  count(): number;
  /** Whether it stops or has stopped. */
  stopped(): boolean;
  /** Reads what has changed, tells everybody the end, and keeps nobody waiting any more. */
  stop(): Promise<void>;
}

/** Milliseconds, but for `together`: how many are read by one query. */
const PACE = {
  /** For what comes to gather. */
  gather: 10,
  /** Between reads of all. */
  apart: 250,
  /** A read of all is due after this, signalled or not: a signal may be lost. */
  poll: 5000,
  retry: 1000,
  together: 1000,
};
/** After a read of all it rests so many times as long: it takes a fifth of the time at most. */
const RESTS = 4;

interface Place<Subject, State> {
  subject: Subject;
  name: string;
  state: State | undefined;
  revision: string;
  keys: readonly string[];
  waiters: Set<Waiter<State>>;
}

export function waiters<Subject, State>(options: WaitersOptions<Subject, State>): Waiters<Subject, State> {
  const room = new WaitingRoom(options);
  return {
    wait: (subject, waiter) => room.wait(subject, waiter),
    changed: (keys) => {
      room.changed(keys);
    },
    changedElsewhere: () => {
      room.changedElsewhere();
    },
    count: () => room.count,
    stopped: () => room.stopped,
    stop: () => room.stop(),
  };
}

class WaitingRoom<Subject, State> {
  count = 0;
  stopped = false;
  readonly #options: WaitersOptions<Subject, State>;
  readonly #pace: typeof PACE;
  readonly #places = new Map<string, Place<Subject, State>>();
  readonly #byKey = new Map<string, Set<Place<Subject, State>>>();
  readonly #dirty = new Set<Place<Subject, State>>();
  /** Whoever comes while others wait is told what they know already. */
  readonly #told = new WeakSet<Waiter<State>>();
  #allDue = 0;
  #allNotBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #round: Promise<void> | undefined;

  constructor(options: WaitersOptions<Subject, State>) {
    this.#options = options;
    this.#pace = { ...PACE, ...options.pace };
  }

  wait(subject: Subject, waiter: Waiter<State>): () => void {
    if (this.#places.size === 0) this.#allDue = this.#options.now() + this.#pace.poll;
    const place = this.#placeOf(subject);
    place.waiters.add(waiter);
    this.count += 1;
    this.#dirty.add(place);
    if (this.stopped) void this.#finish();
    else this.#schedule();
    return () => {
      if (!place.waiters.delete(waiter)) return;
      this.count -= 1;
      if (place.waiters.size === 0) this.#drop(place);
    };
  }

  changed(keys: readonly string[]): void {
    const before = this.#dirty.size;
    for (const key of keys) for (const place of this.#byKey.get(key) ?? []) this.#dirty.add(place);
    if (this.#dirty.size > before) this.#schedule();
  }

  changedElsewhere(): void {
    if (this.#places.size === 0) return;
    this.#allDue = Math.min(this.#allDue, Math.max(this.#options.now(), this.#allNotBefore));
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#finish();
  }

  /** What has changed is read once more; then nobody waits any more. */
  async #finish(): Promise<void> {
    await this.#readEach([...this.#dirty]);
    for (const place of [...this.#places.values()]) {
      for (const waiter of [...place.waiters]) waiter.ended(place.state);
    }
  }

  #placeOf(subject: Subject): Place<Subject, State> {
    const name = this.#options.nameOf(subject);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const waiting = new Set<Waiter<State>>();
    const place: Place<Subject, State> = { subject, name, state: undefined, revision: "", keys: [], waiters: waiting };
    this.#places.set(name, place);
    this.#listUnder(place, this.#options.keysOf(subject, undefined));
    return place;
  }

  #drop(place: Place<Subject, State>): void {
    this.#places.delete(place.name);
    this.#dirty.delete(place);
    this.#listUnder(place, []);
  }

  /** Whether there are new keys among them. */
  #listUnder(place: Place<Subject, State>, keys: readonly string[]): boolean {
    const isNew = keys.some((key) => !place.keys.includes(key));
    if (!isNew && keys.length === place.keys.length) return false;
    for (const key of place.keys) {
      const listed = this.#byKey.get(key);
      listed?.delete(place);
      if (listed?.size === 0) this.#byKey.delete(key);
    }
    place.keys = keys;
    for (const key of keys) {
      const listed = this.#byKey.get(key);
      if (listed === undefined) this.#byKey.set(key, new Set([place]));
      else listed.add(place);
    }
    return isNew;
  }

  /** One timer for all; an earlier wish moves it forward. */
  #schedule(): void {
    if (this.stopped || this.#round !== undefined || this.#places.size === 0) return;
    const now = this.#options.now();
    const at = this.#dirty.size > 0 ? Math.min(now + this.#pace.gather, this.#allDue) : this.#allDue;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity;
        this.#round = this.#readDue().finally(() => {
          this.#round = undefined;
          this.#schedule();
        });
      },
      Math.max(0, at - now),
    );
  }

  async #readDue(): Promise<void> {
    const started = this.#options.now();
    if (started < this.#allDue) {
      await this.#readEach([...this.#dirty]);
      return;
    }
    // A signal that comes meanwhile moves it forward again: it may be about what was read before.
    this.#allDue = started + this.#pace.poll;
    await this.#readEach([...this.#places.values()]);
    const ended = this.#options.now();
    this.#allNotBefore = ended + Math.max(this.#pace.apart, RESTS * (ended - started));
    this.#allDue = Math.max(this.#allDue, this.#allNotBefore);
  }

  async #readEach(chosen: readonly Place<Subject, State>[]): Promise<void> {
    // What changes while it is read is read again.
    for (const place of chosen) this.#dirty.delete(place);
    for (let at = 0; at < chosen.length; at += this.#pace.together) {
      await this.#read(chosen.slice(at, at + this.#pace.together));
    }
  }

  async #read(chosen: readonly Place<Subject, State>[]): Promise<void> {
    try {
      const states = await this.#options.read(chosen.map(({ subject }) => subject));
      for (const [index, place] of chosen.entries()) {
        const state = states[index];
        if (state !== undefined && this.#places.get(place.name) === place) this.#tell(place, state);
      }
    } catch (error) {
      this.#options.onError(error);
      for (const place of chosen) {
        if (place.state !== undefined) this.#dirty.add(place);
        else for (const waiter of [...place.waiters]) waiter.failed(error);
      }
      if (!this.stopped) await sleep(this.#pace.retry);
    }
  }

  #tell(place: Place<Subject, State>, state: State): void {
    const revision = this.#options.revisionOf(state);
    const isNew = place.state === undefined || revision !== place.revision;
    place.state = state;
    place.revision = revision;
    // What a new key stands for may have changed while nobody listened to it.
    if (this.#listUnder(place, this.#options.keysOf(place.subject, state))) this.#dirty.add(place);
    for (const waiter of [...place.waiters]) {
      if (!isNew && this.#told.has(waiter)) continue;
      this.#told.add(waiter);
      waiter.told(state);
    }
  }
}

// The world: every account's objects, in memory, and the commits that change them.
import { openRandom, type Random } from "./random.ts";
import { PLATFORM_ACCOUNT, scopeKey, type Kind, type Kinds, type Scope } from "./kinds.ts";
import { StripeFailure } from "./errors.ts";
import { whileRunning } from "./running.ts";
import { BY_ITSELF, Transaction, type Origin } from "./transaction.ts";

/** One object's new state, or `undefined` when it is gone. */
export interface Change {
  scope: string;
  kind: Kind;
  id: string;
  object: object | undefined;
}

/** Where commits are kept beyond the process. Memory needs none. */
export interface Journal {
  load: (keep: (change: Change) => void) => void;
  append: (changes: Change[]) => void;
  close: () => void;
}

export interface WorldOptions {
  /** Unix seconds. */
  clock?: () => number;
  seed?: number | undefined;
  journal?: Journal | undefined;
}

/** One account's objects in one mode. */
class ScopeState {
  readonly #kinds = new Map<Kind, Map<string, object>>();

  find<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    return this.#kinds.get(kind)?.get(id) as Kinds[K] | undefined;
  }

  all<K extends Kind>(kind: K): Kinds[K][] {
    return [...(this.#kinds.get(kind)?.values() ?? [])] as Kinds[K][];
  }

  peersOf(id: string, name: string): string[] | undefined {
    const kind = [...this.#kinds.keys()].find((each) => each.endsWith(name) && this.#kinds.get(each)?.has(id));
    return kind && [...(this.#kinds.get(kind)?.keys() ?? [])];
  }

  set(kind: Kind, id: string, object: object | undefined): void {
    let objects = this.#kinds.get(kind);
    if (objects === undefined) this.#kinds.set(kind, (objects = new Map<string, object>()));
    if (object === undefined) objects.delete(id);
    else objects.set(id, object);
  }
}

export class World {
  readonly random: Random;
  /** Where its pages are, without a slash at the end: sandbox.ts sets it when the port is known. */
  origin = "http://127.0.0.1:12111";
  readonly #clock: () => number;
  /** Seconds. */
  #ahead = 0;
  readonly #journal: Journal | undefined;
  readonly #scopes = new Map<string, ScopeState>();
  readonly #listeners: ((changes: Change[]) => void)[] = [];

  constructor({ clock = () => Math.floor(Date.now() / 1000), seed, journal }: WorldOptions = {}) {
    this.#clock = clock;
    this.#journal = journal;
    let loaded = 0;
    journal?.load(({ scope, kind, id, object }) => {
      this.state(scope).set(kind, id, object && deepFreeze(object));
      loaded += 1;
    });
    const kept = this.state(scopeKey(PLATFORM_TEST)).find("_extra", CLOCK);
    if (typeof kept?.ahead === "number") this.#ahead = kept.ahead;
    // What is there already has the first names: a seeded run that goes on draws others.
    this.random = openRandom(seed === undefined ? undefined : seed + loaded);
  }

  /** Unix seconds: its clock's, and how far it was set forward. */
  now(): number {
    return this.#clock() + this.#ahead;
  }

  /** Sets its clock forward; a restart finds it so. */
  setForward(seconds: number): void {
    const ahead = this.#ahead + seconds;
    this.run((tx) => tx.put("_extra", { id: CLOCK, object: "_extra", created: tx.now, ahead }));
    this.#ahead = ahead;
  }

  state(scope: string): ScopeState {
    let state = this.#scopes.get(scope);
    if (state === undefined) this.#scopes.set(scope, (state = new ScopeState()));
    return state;
  }

  /** The platform's own scope in the same mode. */
  platform({ livemode }: Scope): Scope {
    return { livemode, account: PLATFORM_ACCOUNT };
  }

  /** The keys of the scopes that hold anything. */
  scopes(): string[] {
    return [...this.#scopes.keys()];
  }

  /** Called after each commit with what it changed. */
  onCommit(listener: (changes: Change[]) => void): void {
    this.#listeners.push(listener);
  }

  /** One transaction: kept when `act` returns, or ends with a failure that keeps; undone when it throws anything else. */
  run<T>(act: (tx: Transaction) => T, scope: Scope = PLATFORM_TEST, origin: Origin = BY_ITSELF): T {
    const commit = new Commit(this);
    const tx = new Transaction(this, commit, scope, origin, this.now());
    let result: T;
    try {
      result = whileRunning(tx, act);
    } catch (error) {
      if (error instanceof StripeFailure && error.keeps) this.#keep(commit);
      else commit.undo();
      throw error;
    }
    this.#keep(commit);
    return result;
  }

  /** All or nothing: what the file does not take is undone in memory too. */
  #keep(commit: Commit): void {
    const changes = commit.changes();
    if (changes.length === 0) return;
    try {
      this.#journal?.append(changes);
    } catch (error) {
      commit.undo();
      throw error;
    }
    for (const listener of this.#listeners) listener(changes);
  }
}

export const PLATFORM_TEST: Scope = { livemode: false, account: PLATFORM_ACCOUNT };
/** The `_extra` that keeps how far the clock was set forward. */
const CLOCK = "clock";

/** What a transaction has changed so far, and how to undo it. */
export class Commit {
  readonly #world: World;
  /** The state before the first change of each object, in the order of the changes. */
  readonly #touched = new Map<string, Change>();

  constructor(world: World) {
    this.#world = world;
  }

  state(scope: Scope): ScopeState {
    return this.#world.state(scopeKey(scope));
  }

  put(scope: Scope, kind: Kind, object: { id: string }): void {
    this.#set(scopeKey(scope), kind, object.id, deepFreeze(object));
  }

  remove(scope: Scope, kind: Kind, id: string): void {
    this.#set(scopeKey(scope), kind, id, undefined);
  }

  #set(scope: string, kind: Kind, id: string, object: object | undefined): void {
    const state = this.#world.state(scope);
    const key = `${scope} ${kind} ${id}`;
    if (!this.#touched.has(key)) this.#touched.set(key, { scope, kind, id, object: state.find(kind, id) });
    state.set(kind, id, object);
  }

  /** Each changed object once, as it is now. */
  changes(): Change[] {
    return [...this.#touched.values()].map(({ scope, kind, id }) => {
      return { scope, kind, id, object: this.#world.state(scope).find(kind, id) };
    });
  }

  undo(): void {
    for (const { scope, kind, id, object } of [...this.#touched.values()].reverse()) {
      this.#world.state(scope).set(kind, id, object);
    }
  }
}

/** Frozen to its leaves, so that events and answers can share objects without copies. */
function deepFreeze<T extends object>(object: T): T {
  if (Object.isFrozen(object)) return object;
  Object.freeze(object);
  for (const value of Object.values(object) as unknown[]) {
    if (typeof value === "object" && value !== null) deepFreeze(value);
  }
  return object;
}

// One call's work on the world: reads, writes and events that are kept together or undone together.
import type Stripe from "stripe";
import { previousAttributes } from "./difference.ts";
import { noSuch } from "./errors.ts";
import { hooks } from "./hooks.ts";
import { ID_PREFIX, idOf, NEWEST_VERSION, type Kind, type Kinds, type Scope } from "./kinds.ts";
import type { Commit, World } from "./world.ts";

/** Who asked: goes into each event's `request`. Nothing for what happens by itself. */
export interface Origin {
  request: string | null;
  idempotency_key: string | null;
}

export const BY_ITSELF: Origin = { request: null, idempotency_key: null };

/** Objects are never changed in place: `put` a new one. They are frozen, so a mistake throws. */
export class Transaction {
  readonly world: World;
  readonly scope: Scope;
  readonly origin: Origin;
  /** Unix seconds: the real clock's, or that of the test clock this view stands on. */
  readonly now: number;
  readonly #commit: Commit;

  constructor(world: World, commit: Commit, scope: Scope, origin: Origin, now: number) {
    this.world = world;
    this.#commit = commit;
    this.scope = scope;
    this.origin = origin;
    this.now = now;
  }

  /** The same transaction, looking at another account or mode. */
  in(scope: Scope): Transaction {
    return new Transaction(this.world, this.#commit, scope, this.origin, this.now);
  }

  /** The same transaction at another time, for what runs on a test clock. */
  at(now: number): Transaction {
    return now === this.now ? this : new Transaction(this.world, this.#commit, this.scope, this.origin, now);
  }

  /** The same transaction at the time of that customer: its test clock's, or the real one. */
  atTimeOf(customer: string | { id: string } | null | undefined): Transaction {
    const clock = this.clockOf(customer);
    return clock === null ? this : this.at(this.get("test_helpers.test_clock", clock).frozen_time);
  }

  /** The id of the customer's test clock. */
  clockOf(customer: string | { id: string } | null | undefined): string | null {
    const id = idOf(customer);
    return id === null ? null : idOf(this.find("customer", id)?.test_clock);
  }

  newId(kind: Kind): string {
    const prefix = ID_PREFIX[kind];
    if (prefix === undefined) throw new Error(`objects of kind ${kind} are not named here`);
    return prefix + this.world.random.text(24);
  }

  find<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    return this.#commit.state(this.scope).find(kind, id);
  }

  /** Ends the call with Stripe's "No such …" when there is none. `param`: the parameter that named it; "id" is the path. */
  get<K extends Kind>(kind: K, id: string, param = "id"): Kinds[K] {
    const found = this.find(kind, id);
    if (found === undefined) throw noSuch(kind, id, param);
    return found;
  }

  /** Of the kind, the oldest first. */
  all<K extends Kind>(kind: K): Kinds[K][] {
    return this.#commit.state(this.scope).all(kind);
  }

  /** The ids of all objects of the kind that `id` is of, the oldest first; undefined when it is no `name`, as in a list's address. */
  peersOf(id: string, name: string): string[] | undefined {
    return this.#commit.state(this.scope).peersOf(id, name);
  }

  /** Of the kind, the oldest first, where the test holds. */
  where<K extends Kind>(kind: K, holds: (object: Kinds[K]) => boolean): Kinds[K][] {
    return this.all(kind).filter(holds);
  }

  /** Keeps the object, new or in place of the one with its id. Returns it. */
  put<K extends Kind>(kind: K, object: Kinds[K]): Kinds[K] {
    this.#commit.put(this.scope, kind, object);
    return object;
  }

  remove(kind: Kind, id: string): void {
    this.#commit.remove(this.scope, kind, id);
  }

  /**
   * Raises an event with the object as it is now. `before`: the object before the change, for the types that carry
   * `previous_attributes`; no event is raised when nothing differs.
   */
  raise(type: string, object: object, before?: object): void {
    const previous = before === undefined ? undefined : previousAttributes(before, object);
    if (previous !== undefined && Object.keys(previous).length === 0) return;
    const event = {
      id: this.newId("event"),
      object: "event",
      api_version: NEWEST_VERSION,
      created: this.now,
      data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
      livemode: this.scope.livemode,
      pending_webhooks: 0,
      request: { id: this.origin.request, idempotency_key: this.origin.idempotency_key },
      type,
    } as unknown as Stripe.Event;
    const pending = hooks.eventRaised.reduce((sum, queue) => sum + queue(this, event), 0);
    this.put("event", { ...event, pending_webhooks: pending });
  }

  /** Keeps the changed object, and raises `type` with what it was before. Nothing is raised when nothing differs. */
  change<K extends Kind>(kind: K, after: Kinds[K], type: string): Kinds[K] {
    const before = this.find(kind, after.id);
    this.put(kind, after);
    this.raise(type, after, before);
    return after;
  }
}

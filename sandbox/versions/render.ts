// Renders objects in the shape of an API version. Objects are kept in the newest one.
import { NEWEST_VERSION } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { CHANGES } from "./changes.ts";
import { type Known, knownNow } from "./known.ts";
import type { Fields, VersionChange } from "./version-change.ts";

/** All that one version changed, by the kind of object. */
type Step = ReadonlyMap<string, readonly VersionChange[]>;

/** The newest version first. */
const STEPS: readonly { day: string; step: Step }[] = stepsOf(CHANGES);

/** `value`: an object, a list of objects, or a hash; what is not of an older version's business is returned as it is. */
export function render(tx: Transaction, value: unknown, version: string): unknown {
  return isNewest(version) ? value : renderKnown(knownNow(tx), value, version);
}

/** Whether nothing has changed its shape since that version. */
export function isNewest(version: string): boolean {
  return version === NEWEST_VERSION || dayOf(version) >= (STEPS[0]?.day ?? "");
}

/** The same with other objects as `known` has them. */
export function renderKnown(known: Known, value: unknown, version: string): unknown {
  const day = dayOf(version);
  const steps = STEPS.filter((each) => each.day > day).map(({ step }) => step);
  return stepped(known, value, steps);
}

/** What a field that only older versions have may be expanded into. */
export function olderTargets(object: string, path: readonly string[]): string[] {
  const name = path.filter((word) => word !== "data").join(".");
  const found = CHANGES.filter(({ kinds }) => kinds.includes(object)).flatMap(({ targets }) => targets[name] ?? []);
  return [...new Set(found)];
}

/** `2025-03-31.basil` → `2025-03-31`: versions are in the order of their days. */
function dayOf(version: string): string {
  return version.slice(0, 10);
}

function stepsOf(changes: readonly VersionChange[]): { day: string; step: Step }[] {
  const days = [...new Set(changes.map(({ before }) => dayOf(before)))].sort().reverse();
  return days.map((day) => {
    const step = new Map<string, VersionChange[]>();
    for (const change of changes.filter(({ before }) => dayOf(before) === day)) {
      for (const kind of change.kinds) step.set(kind, [...(step.get(kind) ?? []), change]);
    }
    return { day, step };
  });
}

function stepped(known: Known, value: unknown, steps: readonly Step[]): unknown {
  return steps.reduce<unknown>((newer, step, at) => inStep(newer, step, knownAfter(known, steps.slice(0, at))), value);
}

/** What a step looks up comes in the shape that its own object has before the step. */
function knownAfter(known: Known, steps: readonly Step[]): Known {
  const shaped = <T>(object: T): T => stepped(known, object, steps) as T;
  return {
    tx: known.tx,
    find: (kind, reference) => shaped(known.find(kind, reference)),
    where: (kind, holds) => known.where(kind, holds).map(shaped),
    shaped,
  };
}

function inStep(value: unknown, step: Step, known: Known): unknown {
  if (Array.isArray(value)) {
    const older = value.map((each) => inStep(each, step, known));
    return older.every((each, at) => each === value[at]) ? value : older;
  }
  if (typeof value !== "object" || value === null) return value;
  const hash = value as Fields;
  // Events stay in the version that they were made in.
  if (hash.object === "event" || isStub(hash)) return value;
  const changes = typeof hash.object === "string" ? (step.get(hash.object) ?? []) : [];
  const changed = changes.reduce((newer, { older }) => older(newer, known), hash);
  return withInner(changed, (inner) => inStep(inner, step, known));
}

function withInner(hash: Fields, older: (inner: unknown) => unknown): Fields {
  let changed: Record<string, unknown> | undefined;
  for (const [field, inner] of Object.entries(hash)) {
    // Metadata is the caller's own: its words mean nothing here.
    if (field === "metadata" || typeof inner !== "object" || inner === null) continue;
    const made = older(inner);
    if (made !== inner) (changed ??= { ...hash })[field] = made;
  }
  return changed ?? hash;
}

/** `{ id, object, deleted: true }`: all that is left of a deleted object. */
function isStub(hash: Fields): boolean {
  return hash.deleted === true && Object.keys(hash).length <= 3;
}

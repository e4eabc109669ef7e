// expand[]: puts objects in place of ids, and builds the fields that are there only when asked for.
import { invalidRequest } from "../core/errors.ts";
import { expandableTarget } from "../core/expandable.ts";
import { buildIncludable } from "../core/includable.ts";
import type { Kind } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { wasDeleted } from "../customers/customer-fields.ts";
import { olderTargets, render } from "../versions/render.ts";

const DEEPEST = 4;

type Hash = Readonly<Record<string, unknown>>;

/** Where a walk stands: the object it is in, and the fields from there. */
interface Place {
  object: string;
  walked: readonly string[];
}

/** The answer with every path of `paths` expanded, each in `version`. Ends the call when a path leads nowhere. */
export function expandAnswer(tx: Transaction, answer: object, paths: readonly string[], version: string): object {
  let expanded: unknown = answer;
  for (const path of paths) {
    const words = path.split(".");
    const levels = words.filter((word) => word !== "data").length;
    if (levels > DEEPEST) {
      throw invalidRequest(`You cannot expand more than ${DEEPEST} levels of a property (${path}).`, {
        param: "expand",
      });
    }
    expanded = new Expansion(tx, path, version).at(expanded, { object: "", walked: [] }, words);
  }
  return expanded as object;
}

class Expansion {
  readonly #tx: Transaction;
  readonly #path: string;
  readonly #version: string;

  constructor(tx: Transaction, path: string, version: string) {
    this.#tx = tx;
    this.#path = path;
    this.#version = version;
  }

  at(value: unknown, place: Place, words: readonly string[]): unknown {
    const [field, ...rest] = words;
    if (field === undefined || value === null || value === undefined) return value;
    if (Array.isArray(value)) return value.map((inner) => this.at(inner, place, words));
    if (typeof value !== "object") throw this.#refusal();
    const hash = value as Hash;
    const here =
      typeof hash.object === "string" && hash.object !== "list" ? { object: hash.object, walked: [] } : place;
    const walked = hash.object === "list" ? here.walked : [...here.walked, field];
    const next = this.#field(hash, field, { object: here.object, walked });
    if (rest.length === 0 && isPlainHash(hash[field])) throw this.#refusal();
    return { ...hash, [field]: this.at(next, { object: here.object, walked }, rest) };
  }

  /** The field's value, expanded when it is an id and built when it is left out of answers. */
  #field(hash: Hash, field: string, { object, walked }: Place): unknown {
    const value = hash[field];
    if (hash.object === "list" && field === "data") return value;
    if (value === undefined) return this.#built(hash, field, object, walked);
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return value;
    const targets = expandableTarget(object, walked)?.targets ?? olderTargets(object, walked);
    const ids = Array.isArray(value) ? (value as unknown[]) : [value];
    if (targets.length === 0 && !ids.every((inner) => typeof inner === "object")) throw this.#refusal();
    const found = ids.map((id) => (typeof id === "string" ? (this.#object(targets, id) ?? id) : id));
    return Array.isArray(value) ? found : found[0];
  }

  #built(hash: Hash, field: string, object: string, walked: readonly string[]): unknown {
    const build = walked.length === 1 ? buildIncludable(object, field) : undefined;
    if (build === undefined) throw this.#refusal();
    const stored = typeof hash.id === "string" ? this.#tx.find(object as Kind, hash.id) : undefined;
    return render(this.#tx, build(this.#tx, stored ?? hash), this.#version);
  }

  #object(targets: readonly string[], id: string): unknown {
    const tx = this.#tx;
    for (const target of targets) {
      // Accounts stand in the platform's scope, whoever refers to them.
      const found =
        tx.find(target as Kind, id) ??
        (target === "account" ? tx.in(tx.world.platform(tx.scope)).find("account", id) : undefined);
      if (found !== undefined) return render(tx, found, this.#version);
    }
    if (targets.includes("customer") && wasDeleted(tx, id)) return { id, object: "customer", deleted: true };
    return undefined;
  }

  #refusal(): Error {
    return invalidRequest(`This property cannot be expanded (${this.#path}).`, { param: "expand" });
  }
}

/** A part of an object, such as its metadata: it is always there, and nothing to expand. */
function isPlainHash(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("object" in value);
}

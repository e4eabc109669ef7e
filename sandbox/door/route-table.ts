// Finds the route of a path: fixed words before ids, so that /v1/invoices/upcoming is not an invoice.
import type { Route } from "../core/route.ts";

interface Branch<R> {
  words: Map<string, Branch<R>>;
  id: Branch<R> | undefined;
  routes: Map<string, R>;
}

export interface FoundRoute<R> {
  route: R;
  ids: string[];
}

export class RouteTable<R extends { pattern: string } = Route> {
  readonly #root: Branch<R> = branch();

  /** Throws when two routes have one pattern. */
  constructor(routes: readonly R[]) {
    for (const route of routes) this.#add(route);
  }

  #add(route: R): void {
    const [method = "", path = ""] = route.pattern.split(" ");
    let at = this.#root;
    for (const word of segments(path)) at = word === "*" ? (at.id ??= branch()) : step(at, word);
    if (at.routes.has(method)) throw new Error(`two routes answer ${route.pattern}`);
    at.routes.set(method, route);
  }

  find(method: string, path: string): FoundRoute<R> | undefined {
    return search(this.#root, method, segments(path), 0, []);
  }
}

function branch<R>(): Branch<R> {
  return { words: new Map(), id: undefined, routes: new Map() };
}

function step<R>(at: Branch<R>, word: string): Branch<R> {
  let next = at.words.get(word);
  if (next === undefined) at.words.set(word, (next = branch<R>()));
  return next;
}

const segments = (path: string): string[] => path.split("/").filter((word) => word !== "");

function search<R>(
  at: Branch<R>,
  method: string,
  words: string[],
  depth: number,
  ids: string[],
): FoundRoute<R> | undefined {
  const word = words[depth];
  if (word === undefined) {
    const route = at.routes.get(method);
    return route === undefined ? undefined : { route, ids };
  }
  const fixed = at.words.get(word);
  const found = fixed === undefined ? undefined : search(fixed, method, words, depth + 1, ids);
  if (found !== undefined || at.id === undefined) return found;
  return search(at.id, method, words, depth + 1, [...ids, decoded(word)]);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    // A stray % is part of an id that names nothing.
    return word;
  }
}

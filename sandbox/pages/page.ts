// What a page of the sandbox is: a path, and the function that answers it with HTML or sends the browser elsewhere.
import { scopeOf, type Kind, type Scope } from "../core/kinds.ts";
import type { World } from "../core/world.ts";

export interface PageRequest {
  /** The fields of a posted form. */
  form: Record<string, string>;
  query: Record<string, string>;
  /** What stands at each `*` of the pattern. */
  ids: string[];
  /** The sandbox's own address: "http://127.0.0.1:12111". */
  origin: string;
}

/** A redirect is a 303: the browser gets the address, also after a posted form. */
export type Page = { status: number; html: string } | { redirect: string };

export interface PageRoute {
  /** "GET /c/pay/*": one `*` for each id in the path. */
  pattern: string;
  answer: (world: World, page: PageRequest) => Page | Promise<Page>;
}

/** Whose object it is: a page's address does not say so. */
export function scopeWith(world: World, kind: Kind, id: string): Scope | undefined {
  const key = world.scopes().find((scope) => world.state(scope).find(kind, id) !== undefined);
  return key === undefined ? undefined : scopeOf(key);
}

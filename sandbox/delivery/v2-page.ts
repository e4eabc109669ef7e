// Pages of the newer API's lists: `next_page_url` in place of `has_more`.
import { invalidRequest } from "../core/errors.ts";

export interface V2PageParameters {
  limit?: number | string;
  page?: string;
}

export interface V2Page<T> {
  data: T[];
  next_page_url: string | null;
  previous_page_url: string | null;
}

/** `all`: in the order of the list. A page's token is the place at which it begins. */
export function v2Page<T>(all: readonly T[], path: string, { limit = 20, page = "0" }: V2PageParameters): V2Page<T> {
  const [size, start] = [Number(limit), Number(page)];
  if (!Number.isInteger(size) || size < 1 || size > 100) {
    throw invalidRequest("limit must be a number from 1 to 100.", { param: "limit" });
  }
  if (!Number.isInteger(start) || start < 0) throw invalidRequest("Invalid page token.", { param: "page" });
  const urlOf = (place: number): string => `${path}?limit=${size}&page=${place}`;
  return {
    data: all.slice(start, start + size),
    next_page_url: start + size < all.length ? urlOf(start + size) : null,
    previous_page_url: start > 0 ? urlOf(Math.max(0, start - size)) : null,
  };
}

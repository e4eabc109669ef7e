// Limits on how often something may be tried, counted in the database for all nodes together. Table: rate_limits
import { hash } from "node:crypto";
import { isIPv6 } from "node:net";

import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export type LimitedAct = "sign_in" | "reset" | "invitation" | "registration" | "token" | "webhook_test";

/** So many tries in so many seconds. */
export interface Limit {
  tries: number;
  seconds: number;
}

export interface ActLimits {
  /** Per e-mail address. */
  address: Limit;
  /** Per source address. */
  source: Limit;
}

export const LIMITS: Record<LimitedAct, ActLimits> = {
  sign_in: { address: { tries: 10, seconds: 900 }, source: { tries: 100, seconds: 900 } },
  reset: { address: { tries: 5, seconds: 3600 }, source: { tries: 50, seconds: 3600 } },
  // The tenant and the address that it invites stand for the address: no tenant uses up the resets of somebody's own.
  invitation: { address: { tries: 5, seconds: 3600 }, source: { tries: 50, seconds: 3600 } },
  registration: { address: { tries: 5, seconds: 3600 }, source: { tries: 60, seconds: 3600 } },
  // A refresh, a mailed link or an invitation: 256 random bits need no limit, the database's time does.
  token: { address: { tries: 60, seconds: 60 }, source: { tries: 300, seconds: 60 } },
  // The tenant stands for the address.
  webhook_test: { address: { tries: 20, seconds: 60 }, source: { tries: 60, seconds: 60 } },
};

export interface Standing {
  limit: number;
  remaining: number;
  /** Seconds until the window ends. */
  resetSeconds: number;
  exceeded: boolean;
}

/** Counts one try against the address (where there is one) and the source, and tells the tighter of the two. */
export async function countTry(
  database: Queryable,
  { act, address, source, limits = LIMITS }: TryOptions,
): Promise<Standing> {
  const wanted = limits[act] ?? LIMITS[act];
  const counted = [
    ...(address === undefined ? [] : [{ key: keyOf(act, "address", address.toLowerCase()), limit: wanted.address }]),
    { key: keyOf(act, "source", networkOf(source)), limit: wanted.source },
  ].sort((a, b) => (a.key < b.key ? -1 : 1));
  const { rows } = await database.query<{ key: string; hits: number; resetSeconds: number }>({
    text: COUNT,
    values: [textArray(counted.map(({ key }) => key)), counted.map(({ limit }) => limit.seconds)],
  });
  const standings = counted.map(({ key, limit }): Standing => {
    const { hits = 1, resetSeconds = limit.seconds } = rows.find((row) => row.key === key) ?? {};
    const remaining = Math.max(0, limit.tries - hits);
    return { limit: limit.tries, remaining, resetSeconds: Math.max(1, resetSeconds), exceeded: hits > limit.tries };
  });
  return standings.reduce((tighter, one) =>
    Number(one.exceeded) > Number(tighter.exceeded) ||
    (one.exceeded === tighter.exceeded && one.remaining < tighter.remaining)
      ? one
      : tighter,
  );
}

export interface TryOptions {
  act: LimitedAct;
  address?: string | undefined;
  source: string;
  /** Instead of LIMITS, where it names the act. */
  limits?: Partial<Record<LimitedAct, ActLimits>> | undefined;
}

/** After a success the address has all its tries again; the source keeps its count. */
export async function forgive(database: Queryable, act: LimitedAct, address: string): Promise<void> {
  await database.query({
    text: "delete from rate_limits where key = $1",
    values: [keyOf(act, "address", address.toLowerCase())],
  });
}

/** Adds hits to counters, and tells what each counts now. */
export async function addHits(
  database: Queryable,
  counted: readonly { key: string; hits: number }[],
  seconds: number,
): Promise<Map<string, number>> {
  if (counted.length === 0) return new Map();
  // Sorted, so that two nodes never wait for each other crosswise.
  const sorted = counted.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const values = [sorted.map(({ key }) => key), sorted.map(({ hits }) => hits), seconds];
  const { rows } = await database.query<{ key: string; hits: number }>({ text: ADD, values });
  return new Map(rows.map(({ key, hits }) => [key, hits]));
}

export async function purgeLimits(database: Queryable): Promise<number> {
  return (await database.query("delete from rate_limits where ends_at < now()")).rowCount;
}

/** Hashed: the table tells nobody's address. */
function keyOf(act: LimitedAct, what: "address" | "source", value: string): string {
  return `${act}:${what}:${hash("sha256", value, "base64url").slice(0, 22)}`;
}

/**
 * The address that a request came from, as it is counted and written down: some proxies send its port with it, which is
 * another one for each connection, and one listener of both families has IPv4 addresses as IPv6 ones.
 */
export function addressOf(source: string): string {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(source)?.[1] ?? /^([\d.]+):\d+$/.exec(source)?.[1] ?? source;
  const address = bare.toLowerCase();
  return isIPv6(address) ? (mappedIPv4(groupsOf(address)) ?? address) : address;
}

/** One IPv6 user has a whole /64 to call from. */
export function networkOf(source: string): string {
  const address = addressOf(source);
  return isIPv6(address) ? groupsOf(address).slice(0, 4).join(":") : address;
}

/** Its eight groups, without leading zeros. The caller has checked that it is one. */
function groupsOf(address: string): string[] {
  const hex = address
    .replace(/%.*$/, "")
    .replace(
      /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
      (_, ...bytes: string[]) => `${hexPair(bytes[0], bytes[1])}:${hexPair(bytes[2], bytes[3])}`,
    );
  const [head = "", tail] = hex.split("::");
  const [left, right] = [head, tail ?? ""].map((part) => (part === "" ? [] : part.split(":"))) as [string[], string[]];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) => group.replace(/^0+(?=.)/, ""));
}

const hexPair = (high = "", low = ""): string => (Number(high) * 256 + Number(low)).toString(16);

/** Of `::ffff:a.b.c.d`, in whichever of its spellings. */
function mappedIPv4(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(":") !== "0:0:0:0:0:ffff") return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
    .join(".");
}

const COUNT = `
  insert into rate_limits as counter (key, hits, ends_at)
  select key, 1, now() + make_interval(secs => seconds) from unnest($1::text[], $2::int[]) as tried (key, seconds)
  on conflict (key) do update
  set hits = case when counter.ends_at <= now() then 1 else counter.hits + 1 end,
      ends_at = case when counter.ends_at <= now() then excluded.ends_at else counter.ends_at end
  returning key, hits, ceil(extract(epoch from ends_at - now()))::int as "resetSeconds"`;
const ADD = `
  insert into rate_limits as counter (key, hits, ends_at)
  select key, hits, now() + make_interval(secs => $3::int) from unnest($1::text[], $2::bigint[]) as counted (key, hits)
  on conflict (key) do update set hits = counter.hits + excluded.hits, ends_at = excluded.ends_at
  returning key, hits`;

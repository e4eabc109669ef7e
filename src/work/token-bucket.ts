// Token buckets that all nodes share: so much in a second, and a little more at once after a pause. Table: token_buckets
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface Bucket {
  key: string;
  /** Tokens a second. In any second at most `rate + burst` are given out. */
  rate: number;
  /** What it holds when it is full. */
  burst: number;
}

/**
 * Takes up to `tokens` from each bucket, whole ones. By the database's clock, so that all nodes see the same bucket.
 * Keys must differ.
 *
 * @returns by key, how many were given: 0 when there are none now
 */
export async function takeTokens(
  tx: Queryable,
  wanted: readonly (Bucket & { tokens: number })[],
): Promise<Map<string, number>> {
  if (wanted.length === 0) return new Map();
  // Sorted, so that two nodes never wait for each other crosswise.
  const sorted = wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const { rows } = await tx.query<{ key: string; granted: number }>({
    name: "take_tokens",
    text: TAKE,
    values: [
      textArray(sorted.map(({ key }) => key)),
      sorted.map(({ rate }) => rate),
      sorted.map(({ burst }) => burst),
      sorted.map(({ tokens }) => tokens),
    ],
  });
  return new Map(rows.map(({ key, granted }) => [key, granted]));
}

/** Buckets that nobody has asked for an hour are full. */
export async function purgeBuckets(tx: Queryable): Promise<number> {
  return (await tx.query("delete from token_buckets where filled_at < now() - interval '1 hour'")).rowCount;
}

const FILLED = `
  least(excluded.burst, bucket.tokens
    + excluded.rate * greatest(0, extract(epoch from excluded.filled_at - bucket.filled_at)::double precision))`;

const TAKE = `
  insert into token_buckets as bucket (key, rate, burst, tokens, granted, filled_at)
  select key, rate, burst, burst - least(floor(burst), wanted), least(floor(burst), wanted), clock_timestamp()
  from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[]) as asked (key, rate, burst, wanted)
  on conflict (key) do update
  set rate = excluded.rate, burst = excluded.burst,
      granted = least(floor(${FILLED}), excluded.granted),
      tokens = ${FILLED} - least(floor(${FILLED}), excluded.granted),
      filled_at = greatest(bucket.filled_at, excluded.filled_at)
  returning key, granted`;

// A tenant's API keys: made, listed, replaced, revoked, looked up. Table: api_keys
import { hash } from "node:crypto";

import { newId } from "../base/ids.ts";
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { EventObject } from "../outbox/event-objects.ts";
import { publishEvents } from "../outbox/event-table.ts";
import { formOfType, KEY_TYPES, keyTypeOf, newKey, readKey } from "./key-format.ts";
import type { KeyKind, KeyType } from "./key-format.ts";

export interface KeyRow {
  id: string;
  kind: KeyKind;
  livemode: boolean;
  /** Whole, for a public key alone. */
  publicKey: string | null;
  prefix: string;
  last4: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

export interface KeyHolder {
  id: string;
  tenantId: string;
  kind: KeyKind;
  livemode: boolean;
}

/** The keys of a mode, or of both. */
export function typesIn(keyType: "live" | "test" | "all"): KeyType[] {
  return KEY_TYPES.filter((type) => keyType === "all" || type.startsWith(keyType));
}

/** Makes one key of each type, whole: this is the only time that the secret ones are known. */
export async function makeKeys(
  tx: Queryable,
  { tenantId, types, brand, by }: { tenantId: string; types: readonly KeyType[]; brand: string; by: string | null },
): Promise<Partial<Record<KeyType, string>>> {
  const made: Partial<Record<KeyType, string>> = {};
  const told: ToldKey[] = [];
  for (const type of types) {
    const { key, kind, livemode, prefix, last4 } = newKey(formOfType(type), brand);
    const shown = kind === "public" ? key : null;
    const id = newId("key");
    await tx.query({ text: INSERT, values: [tenantId, id, livemode, kind, digest(key), shown, prefix, last4, by] });
    made[type] = key;
    told.push({ id, kind, livemode, last4 });
  }
  await publishKeys(tx, "key.created", tenantId, told);
  return made;
}

interface ToldKey {
  id: string;
  kind: KeyKind;
  livemode: boolean;
  last4: string;
  expiresAt?: Date | null;
  revokedAt?: Date | null;
  revokedReason?: string | null;
}

async function publishKeys(
  tx: Queryable,
  type: "key.created" | "key.regenerated" | "key.revoked",
  tenantId: string,
  keys: readonly ToldKey[],
): Promise<void> {
  const events = keys.map(({ id, kind, livemode, last4, expiresAt, revokedAt, revokedReason }) => {
    const object: EventObject<"api_key"> = {
      ...{ id, object: "api_key", type: keyTypeOf({ kind, livemode }), last4 },
      ...{ expires_at: expiresAt?.toISOString() ?? null, revoked_at: revokedAt?.toISOString() ?? null },
      revoked_reason: revokedReason ?? null,
    };
    return { tenantId, livemode, type, objectType: "api_key", objectId: id, object };
  });
  await publishEvents(tx, events);
}

/** Keys that work, the newest of each type first. */
export async function listKeys(tx: Queryable, tenantId: string): Promise<KeyRow[]> {
  return (await tx.query<KeyRow>({ text: LIST, values: [tenantId] })).rows;
}

/**
 * Ends the keys of these types: at once, or after a grace. One that is to end earlier anyway stays so, and is not told of
 * again. Returns the types of those that it ends. Until the transaction ends no other ends keys of this tenant: what is made
 * in place of them comes after this.
 */
export async function endKeys(
  tx: Queryable,
  {
    tenantId,
    types,
    reason,
    graceSeconds,
    told,
  }: {
    tenantId: string;
    types: KeyType[];
    reason: string;
    graceSeconds: number;
    told: "key.regenerated" | "key.revoked";
  },
): Promise<KeyType[]> {
  // A statement of its own: only one that begins behind it sees the keys that the former holder of the lock has made.
  await tx.query({ text: ONE_AT_A_TIME, values: [`api_keys|${tenantId}`] });
  const values = [tenantId, textArray(types), reason, graceSeconds];
  const { rows } = await tx.query<ToldKey>({ text: END, values });
  await publishKeys(tx, told, tenantId, rows);
  const ended = new Set(rows.map(keyTypeOf));
  return KEY_TYPES.filter((type) => ended.has(type));
}

/**
 * Who holds this key now. Asked for each request, by an index and without a cache: a revoked key stops on every node with
 * the commit that revokes it.
 */
export async function findKeyHolder(database: Queryable, key: string): Promise<KeyHolder | undefined> {
  if (readKey(key) === undefined) return undefined;
  const { rows } = await database.query<KeyHolder>({ name: "find_key_holder", text: FIND, values: [digest(key)] });
  return rows[0];
}

/** Whether this key, by its id, works now. Asked for each request of an account session that it has let in. */
export async function keyWorks(database: Queryable, id: string): Promise<boolean> {
  return (await database.query({ name: "key_works", text: ALIVE, values: [id] })).rowCount === 1;
}

/** Writes when keys were used last. Sorted, so that two nodes never wait for each other crosswise. */
export async function recordUse(database: Queryable, used: ReadonlyMap<string, number>): Promise<void> {
  if (used.size === 0) return;
  const sorted = [...used].sort(([a], [b]) => (a < b ? -1 : 1));
  await database.query({
    text: RECORD_USE,
    values: [textArray(sorted.map(([id]) => id)), sorted.map(([, at]) => new Date(at).toISOString())],
  });
}

const digest = (key: string): Buffer => hash("sha256", key, "buffer");

const WORKS = "revoked_at is null and (expires_at is null or expires_at > now())";
const INSERT = `
  insert into api_keys (tenant_id, id, livemode, kind, hash, public_key, prefix, last4, created_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;
const LIST = `
  select id, kind, livemode, public_key as "publicKey", prefix, last4, created_at as "createdAt",
         expires_at as "expiresAt", last_used_at as "lastUsedAt"
  from api_keys where tenant_id = $1 and ${WORKS}
  order by livemode desc, kind, created_at desc, id desc`;
const ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
const END = `
  update api_keys
  set revoked_at = case when $4::int = 0 then now() end,
      expires_at = case when $4::int = 0 then expires_at else now() + make_interval(secs => $4::int) end,
      revoked_reason = case when $4::int = 0 then $3 end
  where tenant_id = $1 and ${WORKS}
    and ($4::int = 0 or expires_at is null or expires_at > now() + make_interval(secs => $4::int))
    and case when livemode then 'live_' else 'test_' end || kind = any ($2::text[])
  returning id, kind, livemode, last4, expires_at as "expiresAt", revoked_at as "revokedAt",
            revoked_reason as "revokedReason"`;
const FIND = `
  select id, tenant_id as "tenantId", kind, livemode from api_keys where hash = $1 and ${WORKS}`;
const ALIVE = `select from api_keys where id = $1 and ${WORKS}`;
const RECORD_USE = `
  update api_keys as key set last_used_at = greatest(key.last_used_at, used.at)
  from unnest($1::text[], $2::timestamptz[]) as used (id, at)
  where key.id = used.id`;

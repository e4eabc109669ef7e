// Accounts as keys: of a map, and of a statement about many of them.
import { booleanArray, textArray } from "../db/arrays.ts";
import type { AccountRef } from "./lots.ts";

export function accountText({ tenantId, livemode, accountId }: AccountRef): string {
  return `${tenantId}|${livemode ? "live" : "test"}|${accountId}`;
}

/** Of `WANTED`. */
export function keyArrays(refs: readonly AccountRef[]): Buffer[] {
  return [
    textArray(refs.map((ref) => ref.tenantId)),
    booleanArray(refs.map((ref) => ref.livemode)),
    textArray(refs.map((ref) => ref.accountId)),
  ];
}

// The order of the array is the order of the locks. `limit 1` makes it a look-up by primary key, whatever the plan's age.
export const WANTED =
  "unnest($1::text[], $2::boolean[], $3::text[]) with ordinality as wanted (tenant_id, livemode, account_id, number)";
export const SAME_ACCOUNT =
  "stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.account_id = wanted.account_id";

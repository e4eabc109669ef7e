// What purchases have taken out of others' lots. Table: credit_takings
import { bigintArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { keyArrays } from "./account-keys.ts";
import type { AccountRef, Ledger, Taking } from "./lots.ts";

/** Of these lots' purchases, each in the order of taking. */
export async function readTakings(
  tx: Queryable,
  lots: readonly (AccountRef & { lotId: string })[],
): Promise<(AccountRef & Taking)[]> {
  const values = [...keyArrays(lots), textArray(lots.map(({ lotId }) => lotId))];
  return (await tx.query<AccountRef & Taking>({ text: READ, values })).rows;
}

/** Those that are new, without those that are given back. */
export async function writeTakings(tx: Queryable, ledgers: readonly Ledger[]): Promise<void> {
  const back = ledgers.flatMap(({ ref, givenBack }) => givenBack.map((taking) => ({ ...ref, ...taking })));
  const made = ledgers.flatMap(({ ref, takings }) =>
    [...takings.values()].flat().flatMap((taking) => (taking.number === undefined ? [{ ...ref, ...taking }] : [])),
  );
  await Promise.all([
    back.length === 0
      ? undefined
      : tx.query({ text: REMOVE, values: [...takingKeys(back), bigintArray(back.map(({ number }) => number))] }),
    made.length === 0
      ? undefined
      : tx.query({
          text: MAKE,
          values: [
            ...takingKeys(made),
            textArray(made.map(({ fromLotId }) => fromLotId)),
            bigintArray(made.map(({ credits }) => credits)),
          ],
        }),
  ]);
}

const takingKeys = (takings: readonly (AccountRef & Taking)[]): Buffer[] => [
  ...keyArrays(takings),
  textArray(takings.map(({ lotId }) => lotId)),
];

const READ = `
  select stored.tenant_id as "tenantId", stored.livemode, stored.account_id as "accountId", stored.lot_id as "lotId",
         stored.from_lot_id as "fromLotId", stored.credits, stored.number
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[]) as wanted (tenant_id, livemode, account_id, lot_id)
  join credit_takings as stored using (tenant_id, livemode, account_id, lot_id)
  order by stored.number`;

const REMOVE = `
  delete from credit_takings as stored
  using unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[])
    as back (tenant_id, livemode, account_id, lot_id, number)
  where stored.tenant_id = back.tenant_id and stored.livemode = back.livemode and stored.account_id = back.account_id
    and stored.lot_id = back.lot_id and stored.number = back.number`;

const MAKE = `
  insert into credit_takings (tenant_id, livemode, account_id, lot_id, from_lot_id, credits)
  select tenant_id, livemode, account_id, lot_id, from_lot_id, credits
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::bigint[])
    with ordinality as taking (tenant_id, livemode, account_id, lot_id, from_lot_id, credits, place)
  order by place`;

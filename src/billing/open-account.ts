// Opening an account: its profile, its place in the ledger and its trial credits, in one commit.
import {
  type Account,
  findByOperation,
  findByPerson,
  insertAccount,
  type Profile,
  type TenantMode,
} from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { grant } from "../credits/ledger.ts";
import type { Credits } from "../credits/lots.ts";
import { accountText } from "../credits/account-keys.ts";
import { lockLedgers, openBalance, writeLedgers } from "../credits/ledger-tables.ts";
import type { Queryable } from "../db/database.ts";

export interface NewAccount extends Profile {
  /** Of the platform's accounts only: who may sign in to it. */
  personId?: string | null;
  /** The same for each run of one request: what the first one made is found again. */
  operationId?: string | null;
  /** null: nobody is told when credits run low. */
  lowThreshold: Credits | null;
}

/** In the caller's transaction. Throws `external_id_taken`. `trialCredits`: 0 for none. */
export async function openAccount(
  tx: Queryable,
  mode: TenantMode,
  { lowThreshold, ...profile }: NewAccount,
  trialCredits: Credits,
): Promise<Account> {
  const account = await insertAccount(tx, mode, { id: newId("acc"), ...profile });
  if (account === undefined) {
    const { operationId, personId } = profile;
    const made =
      typeof personId === "string"
        ? await findByPerson(tx, mode, personId)
        : typeof operationId === "string"
          ? await findByOperation(tx, mode, operationId)
          : undefined;
    if (made === undefined) throw publicError("external_id_taken", { param: "external_id" });
    return made;
  }
  const ref = { ...mode, accountId: account.id };
  await openBalance(tx, ref, lowThreshold);
  if (trialCredits > 0) {
    const { ledgers, now } = await lockLedgers(tx, [ref]);
    const ledger = ledgers.get(accountText(ref));
    if (ledger === undefined) throw new Error("a balance is not there that was just made");
    grant(ledger, "grant", trialCredits, { source: `trial:${account.id}`, reason: "trial credits" });
    await writeLedgers(tx, [ledger], now);
  }
  return account;
}

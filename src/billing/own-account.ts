// The platform's account of a person who signs in: made when it is first needed, one in each mode.
import { type Account, findByPerson } from "../accounts/account-table.ts";
import type { Credits } from "../credits/lots.ts";
import type { Database } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { readPerson } from "../tenants/people.ts";
import { openAccount } from "./open-account.ts";

export interface OwnAccountContext {
  /** The owner's: a person is no tenant's. */
  people: { database: Database };
  trialCredits: Credits;
}

/** Of two requests that come first, both get the same one, with its trial credits once. */
export async function ensureOwnAccount(
  context: OwnAccountContext,
  platform: TenantScope,
  { livemode, personId }: { livemode: boolean; personId: string },
): Promise<Account> {
  const mode = { tenantId: platform.tenantId, livemode };
  const known = await findByPerson(platform, mode, personId);
  if (known !== undefined) return known;
  const person = await readPerson(context.people.database, personId);
  if (person === undefined) throw new Error("somebody who has signed in is not known");
  const { email, name } = person;
  return platform.transaction(async (tx) => {
    const profile = { externalId: null, email, name, metadata: {}, personId, lowThreshold: null };
    return openAccount(tx, mode, profile, context.trialCredits);
  });
}

// For which account a customer acts, on routes for "account user".
import { ACCOUNT_SCOPES, type AccountScope, type AccountSession } from "../accounts/account-sessions.ts";
import { publicError } from "../base/errors.ts";
import { ensureOwnAccount } from "../billing/own-account.ts";
import { type Caller, personOf, scopeOf, tenantOf } from "./caller.ts";
import type { ApiDependencies } from "./route.ts";

export interface ActingAccount {
  tenantId: string;
  accountId: string;
  livemode: boolean;
  scopes: readonly AccountScope[];
}

interface AccountCall {
  deps: Pick<ApiDependencies, "apiDatabase" | "people" | "trialCredits">;
  caller: Caller;
}

/**
 * The account that an account session was made for; of a person who has signed in the platform's account of theirs, which
 * is made when it is first needed. Throws `forbidden` when the session lacks the scope.
 */
export async function accountOf(call: AccountCall, needed: AccountScope): Promise<ActingAccount> {
  const { caller, deps } = call;
  const { identity, livemode } = caller;
  const { id: tenantId } = tenantOf(caller);
  if (identity.kind !== "account") {
    const { personId } = personOf(caller);
    const { id: accountId } = await ensureOwnAccount(deps, scopeOf(call), { livemode, personId });
    return { tenantId, accountId, livemode, scopes: ACCOUNT_SCOPES };
  }
  needScope(identity.session, needed);
  const { accountId, scopes } = identity.session;
  return { tenantId, accountId, livemode, scopes };
}

/** Throws `forbidden`. */
export function needScope({ scopes }: Pick<AccountSession, "scopes">, needed: AccountScope): void {
  if (scopes.includes(needed)) return;
  const message = `This account session lacks the scope ${needed}: ask for a session that has it.`;
  throw publicError("forbidden", { message });
}

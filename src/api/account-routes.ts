// Routes of a person's own account: profile, passwords, the verified address.
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import { ensureOwnAccount } from "../billing/own-account.ts";
import { readBalances } from "../credits/ledger-reads.ts";
import { tenantScope } from "../db/tenant-scope.ts";
import { changeName, changePassword, readMe } from "../tenants/own-account.ts";
import { askForReset, mailVerification, resetPassword, verifyAddress } from "../tenants/recovery.ts";
import { actOf, personOf } from "./caller.ts";
import { knownEmail, line, mailedToken, Me, Message, password } from "./people-fields.ts";
import { type Call, operation } from "./route.ts";
import { countAsTry } from "./tries.ts";

const TAG = "People and sessions";

/** A known address takes a few commits longer than an unknown one: both are answered on the next multiple of this. */
const SAME_TIME_MS = 250;

export const forgotPassword = operation({
  tag: TAG,
  body: z.strictObject({ email: knownEmail }),
  answers: { 200: Message },
  run: async (call) => {
    const { deps, body, caller } = call;
    await countAsTry(call, "reset", body.email);
    const started = deps.clock.monotonic();
    await askForReset(deps.people, body.email, caller.source);
    await sleep(SAME_TIME_MS - ((deps.clock.monotonic() - started) % SAME_TIME_MS));
    return { message: "If there is an account with this address, a link is on its way to it." };
  },
});

export const resetForgottenPassword = operation({
  tag: TAG,
  body: z.strictObject({ token: mailedToken, password }),
  answers: { 200: Message },
  run: async (call) => {
    await countAsTry(call, "token");
    await resetPassword(call.deps.people, call.body, call.caller.source);
    return { message: "The password is changed and every session has ended: sign in with the new one." };
  },
});

export const verifyEmail = operation({
  tag: TAG,
  body: z.strictObject({ token: mailedToken }),
  answers: { 200: Message },
  run: async (call) => {
    await countAsTry(call, "token");
    await verifyAddress(call.deps.people, call.body.token, call.caller.source);
    return { message: "The address is verified." };
  },
});

export const resendVerification = operation({
  tag: TAG,
  body: z.strictObject({}).nullish(),
  answers: { 200: Message },
  run: async (call) => {
    const { personId } = personOf(call.caller);
    await countAsTry(call, "reset", personId);
    await mailVerification(call.deps.people, personId);
    return { message: "Unless the address is verified already, a link is on its way to it." };
  },
});

export const readOwnAccount = operation({
  tag: TAG,
  answers: { 200: Me },
  run: async (call) => meOf(call),
});

export const changeOwnAccount = operation({
  tag: TAG,
  body: z.strictObject({ name: line(200).nullable() }),
  answers: { 200: Me },
  run: async (call) => {
    await changeName(call.deps.people, personOf(call.caller).personId, call.body.name);
    return meOf(call);
  },
});

/** The account at the platform is made when it is first asked for. */
async function meOf({ deps, caller }: Pick<Call<unknown, unknown, unknown>, "deps" | "caller">) {
  const { personId, memberships } = personOf(caller);
  const { livemode } = caller;
  const platform = tenantScope(deps.apiDatabase, { tenantId: deps.platformTenant });
  const { id, isTrialUser, status } = await ensureOwnAccount(deps, platform, { livemode, personId });
  const balances = await readBalances(platform, { tenantId: platform.tenantId, livemode }, [id]);
  const credit_balance = balances.get(id)?.balance ?? 0;
  const { tenants, ...person } = await readMe(deps.people, personId, memberships);
  return { ...person, account: { id, livemode, credit_balance, is_trial_user: isTrialUser, status }, tenants };
}

export const changeOwnPassword = operation({
  tag: TAG,
  body: z.strictObject({ current_password: password, new_password: password }),
  answers: { 200: Message },
  run: async (call) => {
    const { deps, body, caller } = call;
    const { personId, sessionId } = personOf(caller);
    await countAsTry(call, "sign_in", personId);
    const given = { personId, sessionId, current: body.current_password, password: body.new_password };
    await changePassword(deps.people, given, actOf(caller));
    return { message: "The password is changed, and every other session has ended." };
  },
});

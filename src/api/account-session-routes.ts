// The route by which a tenant's own server lets one of its customers in: a token for one account.
import { z } from "zod";

import { ACCOUNT_SCOPES, signAccountSession } from "../accounts/account-sessions.ts";
import { readAccount } from "../accounts/account-table.ts";
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { modeOf } from "./account-admin-routes.ts";
import { actOf, scopeOf } from "./caller.ts";
import { idParams, isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

export const createAccountSession = operation({
  tag: "Accounts",
  params: idParams,
  body: z
    .strictObject({
      scopes: z
        .array(z.enum(ACCOUNT_SCOPES))
        .min(1)
        .max(ACCOUNT_SCOPES.length)
        .default([...ACCOUNT_SCOPES])
        .meta({ description: "What the token is good for; without it: everything." }),
    })
    .nullish(),
  answers: {
    201: z
      .strictObject({
        token: z.string().meta({ description: "For the customer's browser, as `Authorization: Bearer …`." }),
        expires_at: isoTime.meta({ description: "In 15 minutes: then ask for another one." }),
        account_id: z.string(),
        scopes: z.array(z.enum(ACCOUNT_SCOPES)),
      })
      .meta({ id: "AccountSession" }),
  },
  run: async (call) => {
    const { deps, caller, params, body } = call;
    const mode = modeOf(caller);
    if (caller.identity.kind !== "key") throw new Error("the route let somebody in who holds no key");
    const named = body?.scopes ?? ACCOUNT_SCOPES;
    const scopes = ACCOUNT_SCOPES.filter((scope) => named.includes(scope));
    const keyId = caller.identity.key.id;
    const { token, expiresAt } = await signAccountSession(deps, { ...mode, accountId: params.id, keyId, scopes });
    const expires = expiresAt.toISOString();
    await scopeOf(call).transaction(async (tx) => {
      if ((await readAccount(tx, mode, params.id)) === undefined) throw publicError("not_found");
      const after = { livemode: mode.livemode, scopes, expires_at: expires };
      const [action, target] = ["account_session.created", params.id];
      await audit(tx, { tenantId: mode.tenantId, ...actOf(caller), action, target, after });
    });
    call.reply.status(201);
    return { token, expires_at: expires, account_id: params.id, scopes };
  },
});

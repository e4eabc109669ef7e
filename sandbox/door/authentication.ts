// Who calls: a secret key, which fixes the mode, and the account that it acts for.
import { noAccess, noKey, StripeFailure, wrongKey } from "../core/errors.ts";
import { PLATFORM_ACCOUNT, type Scope } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import { accountOfAccessToken, mayActFor } from "../connect/account.ts";

/** Secret and restricted keys, and keys for browsers; 16 characters at least. */
const KEY = /^(sk|rk|pk)_(test|live)_[0-9A-Za-z_]+$/;
const SHORTEST_KEY = 16;

/** What a browser may do with a publishable key, besides what a client secret opens. */
const PUBLISHABLE = new Set(["POST /v1/tokens", "POST /v1/payment_methods", "POST /v1/sources"]);
const WITH_CLIENT_SECRET = /^(GET|POST) \/v1\/(payment_intents|setup_intents)\/\*(\/confirm)?$/;

export interface Caller {
  livemode: boolean;
  key: string;
  publishable: boolean;
}

/** Reads `Authorization: Bearer sk_…`, or Basic with the key as user. Ends the call when it is no key of ours. */
export function callerOf(authorization: string | undefined): Caller {
  if (authorization === undefined || authorization === "") throw noKey();
  const [scheme = "", credentials = ""] = authorization.split(/\s+/, 2);
  const basic = scheme.toLowerCase() === "basic";
  const key = basic ? (Buffer.from(credentials, "base64").toString("utf8").split(":")[0] ?? "") : credentials;
  if (key === "") throw noKey();
  const parts = KEY.exec(key);
  if (parts === null || key.length < SHORTEST_KEY) throw wrongKey(key);
  return { livemode: parts[2] === "live", key, publishable: parts[1] === "pk" };
}

/** The account whose objects the call sees: the platform's, the one an access token stands for, or the one it names. */
export function scopeOfCall(tx: Transaction, caller: Caller, named: string | undefined): Scope {
  const platform: Scope = { livemode: caller.livemode, account: PLATFORM_ACCOUNT };
  const own = accountOfAccessToken(tx.in(platform), caller.key) ?? PLATFORM_ACCOUNT;
  if (named === undefined || named === own) return { ...platform, account: own };
  if (own !== PLATFORM_ACCOUNT || !mayActFor(tx.in(platform), named)) throw noAccess(named);
  return { ...platform, account: named };
}

/** Ends the call when a publishable key asks for what only a secret key may. */
export function checkKeyMay(caller: Caller, pattern: string, parameters: Readonly<Record<string, unknown>>): void {
  if (!caller.publishable || PUBLISHABLE.has(pattern)) return;
  if (WITH_CLIENT_SECRET.test(pattern) && typeof parameters.client_secret === "string") return;
  const message =
    "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.";
  throw new StripeFailure(403, { type: "invalid_request_error", code: "secret_key_required", message });
}

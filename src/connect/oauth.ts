// OAuth with Stripe: the address of the consent page, the code for an account, and the end of a connection.
import { publicError } from "../base/errors.ts";
import type { ConnectMethod } from "../connections/connect-status.ts";
import { StripeError } from "../stripe/client.ts";
import type { ConnectContext } from "./connect-context.ts";

/** Stripe's own, with which STRIPE_API_BASE has nothing to do. */
export const STRIPE_OAUTH_BASE = "https://connect.stripe.com";

/** Throws `connect_client_id_missing`, naming the variable. */
export function clientIdOf({ connect }: Pick<ConnectContext, "connect">, livemode: boolean): string {
  const id = livemode ? connect.clientIds.live : connect.clientIds.test;
  if (id !== undefined) return id;
  const variable =
    livemode || connect.clientIds.live === undefined ? "STRIPE_CONNECT_CLIENT_ID" : "STRIPE_TEST_CONNECT_CLIENT_ID";
  throw publicError("connect_client_id_missing", {
    message: `OAuth needs the Connect client id (ca_…) of ${livemode ? "live" : "test"} mode: the operator sets ${variable}, or use the method account_link.`,
  });
}

/** Built here, because the SDK's own leaves out the port. Source: Stripe's OAuth reference. */
export function authorizeUrl(
  { connect }: Pick<ConnectContext, "connect">,
  given: { method: ConnectMethod; clientId: string; state: string; redirectUri: string },
): string {
  const path = given.method === "express_oauth" ? "/express/oauth/authorize" : "/oauth/authorize";
  const url = new URL(`${connect.oauthBase}${path}`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: given.clientId,
    scope: "read_write",
    state: given.state,
    redirect_uri: given.redirectUri,
  }).toString();
  return url.href;
}

export interface Authorized {
  /** acct_… */
  account: string;
  /** The second of Stripe's answer. */
  at: number;
}

/**
 * Exchanges a code. Its tokens are not kept: the platform's own key with the account's id does all that they would.
 * Throws `connect_refused` for a code that Stripe does not take, and what `stripe.call` throws.
 */
export async function exchangeCode(
  { stripe }: Pick<ConnectContext, "stripe">,
  { livemode, code, idempotencyKey }: { livemode: boolean; code: string; idempotencyKey: string },
): Promise<Authorized> {
  try {
    // A code that comes again ends what came of it the first time.
    const { value, asOf } = await stripe.call(
      { livemode, account: "", idempotencyKey, once: true },
      (client, options) => client.oauth.token({ grant_type: "authorization_code", code }, options),
    );
    const { stripe_user_id: account, livemode: told } = value;
    if (account === undefined || !/^acct_\w+$/.test(account)) throw new Error("Stripe's answer names no account");
    if (told !== undefined && told !== livemode) throw refusedCode("invalid_grant");
    return { account, at: secondOf(value, asOf) };
  } catch (error) {
    const oauth = oauthErrorIn(error);
    throw oauth === undefined ? error : refusedCode(oauth.code, error);
  }
}

/** Shuts us out of an account. Returns false when we were out already. Throws what `stripe.call` throws. */
export async function deauthorize(
  { stripe }: Pick<ConnectContext, "stripe">,
  given: { livemode: boolean; account: string; clientId: string; idempotencyKey: string },
): Promise<boolean> {
  const { livemode, account, clientId, idempotencyKey } = given;
  try {
    await stripe.call({ livemode, account: "", idempotencyKey }, (client, options) =>
      client.oauth.deauthorize({ client_id: clientId, stripe_user_id: account }, options),
    );
    return true;
  } catch (error) {
    const oauth = oauthErrorIn(error);
    if (oauth === undefined) throw error;
    // `invalid_client` is also the answer to a client id that is wrong: only the words tell the two apart.
    if (oauth.code === "invalid_client" && /not connected/i.test(oauth.message)) return false;
    throw publicError("stripe_refused", {
      message: `Stripe does not end this connection (${oauth.code}): check the Connect client id, or remove the platform in the account's own Stripe dashboard.`,
      cause: error,
    });
  }
}

/** The second of the answer itself: an end in an earlier one is not the end of this connection. */
export function secondOf(value: object, asOf: number): number {
  const { lastResponse } = value as { lastResponse?: { headers?: Record<string, string> } };
  const date = Date.parse(lastResponse?.headers?.date ?? "");
  return Number.isNaN(date) ? asOf + 1 : date / 1000;
}

function refusedCode(error: string, cause?: unknown): Error {
  const description = "Stripe does not take this code: it was used, is older than five minutes, or is another key's.";
  return publicError("connect_refused", { oauth: { error, description }, cause });
}

const OAUTH_CODES = new Set([
  ...["invalid_grant", "invalid_client", "invalid_request", "invalid_scope"],
  ...["unsupported_grant_type", "unsupported_response_type"],
]);

/** OAuth's errors have a form of their own, and its codes are no codes of the API's. */
function oauthErrorIn(thrown: unknown): { code: string; message: string } | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof StripeError && OAUTH_CODES.has(error.rawType ?? "")) {
      return { code: error.rawType ?? "", message: error.message };
    }
  }
  return undefined;
}

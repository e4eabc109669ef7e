// OAuth of Connect: an account lets the platform in, and the platform exchanges the code for tokens. Its own error form.
import { StripeFailure } from "../core/errors.ts";
import { type Kinds, PLATFORM_ACCOUNT, type Scope } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { callerOf } from "../door/authentication.ts";
import { deauthorize, mayActFor, authorize, platformOf } from "./connection.ts";

export interface OAuthRoute {
  pattern: string;
  answer: (world: World, form: Record<string, string>, authorization: string | undefined) => OAuthAnswer;
}

export interface OAuthAnswer {
  status: number;
  body: object;
}

/** Stripe's: a code is good for five minutes. */
const CODE_SECONDS = 5 * 60;

/** Thrown inside this file alone; what it changed before is kept. */
class OAuthFailure extends StripeFailure {
  readonly answer: OAuthAnswer;

  constructor(error: string, description: string, status = 400) {
    super(status, { type: "invalid_request_error", message: description }, { keeps: true });
    this.answer = { status, body: { error, error_description: description } };
  }
}

/** The code that the platform's redirect address gets when the account says yes. */
export function issueCode(
  tx: Transaction,
  grant: { account: string; client_id: string; scope: string; redirect_uri: string },
): string {
  const id = tx.newId("_authorization_code");
  const code = { ...grant, id, object: "_authorization_code", created: tx.now, used: false };
  platformOf(tx).put("_authorization_code", code);
  return id;
}

function answered(
  world: World,
  form: Record<string, string>,
  authorization: string | undefined,
  act: (tx: Transaction) => object,
): OAuthAnswer {
  try {
    const livemode = modeOf(form, authorization);
    return { status: 200, body: world.run(act, { livemode, account: PLATFORM_ACCOUNT }) };
  } catch (error) {
    if (error instanceof OAuthFailure) return error.answer;
    throw error;
  }
}

/** Of the secret key, which comes as a header or as `client_secret`. */
function modeOf(form: Record<string, string>, authorization: string | undefined): boolean {
  const credentials = form.client_secret === undefined ? authorization : `Bearer ${form.client_secret}`;
  if (credentials === undefined || credentials === "") {
    const message =
      "No authentication was provided. Send your secret API key using the Authorization header, or as a client_secret POST parameter.";
    throw new OAuthFailure("invalid_client", message, 401);
  }
  try {
    const { livemode, publishable } = callerOf(credentials);
    if (!publishable) return livemode;
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    throw new OAuthFailure("invalid_client", error.message, 401);
  }
  throw new OAuthFailure("invalid_client", "This endpoint needs a secret API key, not a publishable one.", 401);
}

function token(tx: Transaction, form: Record<string, string>): object {
  switch (form.grant_type) {
    case undefined:
    case "":
      throw new OAuthFailure("invalid_request", "No grant type specified");
    case "authorization_code":
      return tokensForCode(tx, form.code, form.scope);
    case "refresh_token":
      return tokensForRefresh(tx, form.refresh_token, form.scope);
    default:
      throw new OAuthFailure("unsupported_grant_type", `Unsupported grant type: ${form.grant_type}`);
  }
}

function tokensForCode(tx: Transaction, code: string | undefined, scope: string | undefined): object {
  if (code === undefined || code === "") throw new OAuthFailure("invalid_request", "No authorization code provided");
  const found = codeAnywhere(tx, code);
  if (found === undefined) throw new OAuthFailure("invalid_grant", `Authorization code does not exist: ${code}`);
  const { kept, issuedIn } = found;
  if (kept.used) {
    // Whoever shows a used code may have stolen it: what came of it ends.
    revokeTokens(tx, kept.account);
    const message =
      "This authorization code has already been used. All tokens issued with this code have been revoked.";
    throw new OAuthFailure("invalid_grant", message);
  }
  if (kept.created + CODE_SECONDS <= tx.now) {
    throw new OAuthFailure("invalid_grant", `Authorization code expired: ${code}`);
  }
  checkScope(scope, kept.scope);
  issuedIn.put("_authorization_code", { ...kept, used: true });
  moveAccount(issuedIn, tx, kept.account);
  authorize(tx, kept.account, kept.client_id);
  return tokens(tx, kept.account, scope ?? kept.scope);
}

function tokensForRefresh(tx: Transaction, refresh: string | undefined, scope: string | undefined): object {
  if (refresh === undefined || refresh === "") throw new OAuthFailure("invalid_request", "No refresh token provided");
  const grant = tx.find("_grant", refresh);
  if (grant?.use !== "refresh" || !mayActFor(tx, grant.account)) {
    throw new OAuthFailure("invalid_grant", `Refresh token does not exist: ${refresh}`);
  }
  checkScope(scope, grant.scope);
  return tokens(tx, grant.account, scope ?? grant.scope, refresh);
}

function checkScope(asked: string | undefined, granted: string): void {
  if (asked === undefined || asked === granted || (asked === "read_only" && granted === "read_write")) return;
  throw new OAuthFailure(
    "invalid_scope",
    `The requested scope '${asked}' exceeds the scope '${granted}' that was granted.`,
  );
}

function tokens(tx: Transaction, account: string, scope: string, refresh?: string): object {
  const mode = tx.scope.livemode ? "live" : "test";
  const access_token = `sk_${mode}_${tx.world.random.text(48)}`;
  const refresh_token = refresh ?? `rt_${tx.world.random.text(48)}`;
  const shared = { object: "_grant", created: tx.now, account, scope };
  tx.put("_grant", { ...shared, id: access_token, use: "access" });
  tx.put("_grant", { ...shared, id: refresh_token, use: "refresh" });
  return {
    access_token,
    livemode: tx.scope.livemode,
    refresh_token,
    token_type: "bearer",
    stripe_publishable_key: `pk_${mode}_${account.replace("acct_", "")}`,
    stripe_user_id: account,
    scope,
  };
}

/** The consent page knows no mode; the key that redeems the code does. */
function codeAnywhere(
  tx: Transaction,
  code: string,
): { kept: Kinds["_authorization_code"]; issuedIn: Transaction } | undefined {
  for (const livemode of [tx.scope.livemode, !tx.scope.livemode]) {
    const scope: Scope = { livemode, account: PLATFORM_ACCOUNT };
    const kept = tx.in(scope).find("_authorization_code", code);
    if (kept !== undefined) return { kept, issuedIn: tx.in(scope) };
  }
  return undefined;
}

/** An account that was let in with a live key is there in live mode too. */
function moveAccount(from: Transaction, to: Transaction, id: string): void {
  const account = from.find("account", id);
  if (account === undefined) {
    throw new OAuthFailure("invalid_grant", `The account of this authorization code is gone: ${id}`);
  }
  if (to.find("account", id) === undefined) to.put("account", account);
}

function revokeTokens(tx: Transaction, account: string): void {
  for (const { id } of tx.where("_grant", (grant) => grant.account === account)) tx.remove("_grant", id);
}

function leave(tx: Transaction, form: Record<string, string>): object {
  const { client_id, stripe_user_id: account } = form;
  if (!client_id?.startsWith("ca_")) {
    const message = `No application matches the supplied client identifier${client_id === undefined ? "" : `: ${client_id}`}`;
    throw new OAuthFailure("invalid_client", message, 401);
  }
  if (account === undefined || account === "") {
    throw new OAuthFailure("invalid_request", "No stripe_user_id was provided");
  }
  if (!mayActFor(tx, account)) {
    const message = `This application is not connected to stripe account ${account}, or that account does not exist.`;
    throw new OAuthFailure("invalid_client", message, 401);
  }
  deauthorize(tx, account);
  return { stripe_user_id: account };
}

export const oauthRoutes: OAuthRoute[] = [
  {
    pattern: "POST /oauth/token",
    answer: (world, form, authorization) => answered(world, form, authorization, (tx) => token(tx, form)),
  },
  {
    pattern: "POST /oauth/deauthorize",
    answer: (world, form, authorization) => answered(world, form, authorization, (tx) => leave(tx, form)),
  },
];

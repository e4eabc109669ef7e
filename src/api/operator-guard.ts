// Who may use the operator's routes: the holder of OPERATOR_TOKEN, sent as a bearer token. No cookies, so no forged requests.
import { publicError } from "../base/errors.ts";
import { sameSecret } from "../base/secret.ts";
import type { Secret } from "../base/secret.ts";

/** Throws `unauthorized` unless the header carries the token; compared in constant time. */
export function requireOperator(authorization: string | undefined, operatorToken: Secret): void {
  const given = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
  if (!sameSecret(given, operatorToken)) throw publicError("unauthorized");
}

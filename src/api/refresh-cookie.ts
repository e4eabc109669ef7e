// The refresh token in a cookie, for browsers: no script reads it, and no other site's page sends it. Pure.
import { publicError } from "../base/errors.ts";
import { MAX_TOKEN } from "../tenants/bearer-tokens.ts";
import { REFRESH_SECONDS } from "../tenants/sessions.ts";
import type { ApiDependencies } from "./route.ts";

const NAME = "billhook_refresh";
const PATH = "/api/v1/auth/";

type Deps = Pick<ApiDependencies, "publicUrl" | "corsOrigins">;

export function refreshCookie(token: string, deps: Deps): string {
  return cookie(token, REFRESH_SECONDS, deps);
}

export function noRefreshCookie(deps: Deps): string {
  return cookie("", 0, deps);
}

function cookie(value: string, seconds: number, { publicUrl }: Deps): string {
  const secure = publicUrl.startsWith("https:") ? "; Secure" : "";
  return `${NAME}=${value}; Path=${PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** Undefined: there is none. Throws `forbidden` when another site's page sends it: SameSite lets subdomains through. */
export function cookieToken(
  headers: { cookie?: string | undefined; origin?: string | undefined },
  { publicUrl, corsOrigins }: Deps,
): string | undefined {
  const found = (headers.cookie ?? "")
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${NAME}=`));
  const token = found?.slice(NAME.length + 1);
  if (token === undefined || token === "" || token.length > MAX_TOKEN) return undefined;
  const { origin } = headers;
  if (origin !== undefined && origin !== new URL(publicUrl).origin && !corsOrigins.includes(origin)) {
    throw publicError("forbidden", { message: "This page's origin may not use the cookie: add it to CORS_ORIGINS." });
  }
  return token;
}

// Where the client's bearer token comes from, and how it is renewed: once, however many calls wait for it.

export interface FreshToken {
  token: string;
  /** ISO 8601; left out: it is used until it is refused. */
  expires_at?: string | undefined;
}

/**
 * A secret key, or a function that gives a token: an account session from the own server, or a signed-in person's access
 * token (`signedIn`). It is asked when there is none yet, shortly before `expires_at`, and once after a 401. Undefined:
 * nobody is signed in.
 */
export type TokenSource = string | (() => MaybeToken | Promise<MaybeToken>);
type MaybeToken = string | FreshToken | undefined;

export interface Tokens {
  current(): Promise<string | undefined>;
  /** Another one than that which was refused; undefined: there is none. */
  renewed(refused: string | undefined): Promise<string | undefined>;
}

/** It is renewed so long before its end, at most: a call may be on its way for a while. */
const AHEAD_MS = 30_000;

export function keptTokens(source: TokenSource | undefined): Tokens {
  if (source === undefined || typeof source === "string") {
    return { current: async () => source, renewed: async () => undefined };
  }
  let kept: FreshToken | undefined;
  let asking: Promise<FreshToken | undefined> | undefined;
  const ask = (): Promise<FreshToken | undefined> => {
    asking ??= (async () => {
      const given = await source();
      kept = typeof given === "string" ? { token: given } : given;
      return kept;
    })().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  return {
    current: async () => (kept === undefined || endsSoon(kept) ? (await ask())?.token : kept.token),
    renewed: async (refused) => {
      const fresh = kept !== undefined && kept.token !== refused ? kept : await ask();
      return fresh === undefined || fresh.token === refused ? undefined : fresh.token;
    },
  };
}

function endsSoon({ expires_at }: FreshToken): boolean {
  return expires_at !== undefined && Date.parse(expires_at) - Date.now() < AHEAD_MS;
}

/** As the API answers. */
export interface SessionTokens {
  access: string;
  refresh?: string | null | undefined;
}

export interface SignedInOptions {
  baseUrl: string;
  /** From `POST /api/v1/auth/login/`; `refresh` null or left out: it is in the cookie (`cookie: true` at login). */
  tokens?: SessionTokens | undefined;
  /** Keep what it gives: each refresh token works once. Undefined: the session has ended. */
  changed?: ((tokens: SessionTokens | undefined) => void) | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

/** A person who has signed in with Billhook, as the client's `token`: goes on with the session by its refresh token. */
export function signedIn({ baseUrl, tokens, changed, fetch = globalThis.fetch }: SignedInOptions): TokenSource {
  let held = tokens;
  let used = false;
  const refresh = async (): Promise<FreshToken | undefined> => {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}/api/v1/auth/refresh/`, {
      method: "POST",
      credentials: "include",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(typeof held?.refresh === "string" ? { refresh: held.refresh } : {}),
    });
    if (response.ok) {
      held = ((await response.json()) as { tokens: SessionTokens }).tokens;
      changed?.(held);
      return { token: held.access, expires_at: endOf(held.access) };
    }
    // A server that is busy or gone has ended no session.
    if (response.status !== 401) throw new TypeError(`the session could not be renewed: ${response.status}`);
    held = undefined;
    changed?.(undefined);
    return undefined;
  };
  return async () => {
    if (!used && held !== undefined) {
      used = true;
      return { token: held.access, expires_at: endOf(held.access) };
    }
    used = true;
    return oneTabAtATime(refresh);
  };
}

/** Two tabs share the cookie: a refresh token that is sent twice ends the session. */
async function oneTabAtATime<T>(work: () => Promise<T>): Promise<T> {
  const locks = (
    globalThis.navigator as { locks?: { request(name: string, work: () => Promise<T>): Promise<T> } } | undefined
  )?.locks;
  return locks === undefined ? work() : locks.request("billhook-refresh", work);
}

/** A JWT's `exp`, so that it is renewed before it is refused; undefined: it has none that can be read. */
function endOf(token: string): string | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const { exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { exp?: unknown };
    return typeof exp === "number" ? new Date(exp * 1000).toISOString() : undefined;
  } catch {
    // Not a JWT: a 401 says when it is over.
    return undefined;
  }
}

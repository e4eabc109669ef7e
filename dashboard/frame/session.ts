// Who is signed in: the access token in memory alone, renewed by the cookie; one sign-out ends every tab.
import { useSyncExternalStore } from "react";

import { type FreshToken, keptTokens } from "../../kit/client/tokens.ts";

/** Says only that somebody is signed in here, so that nobody is asked for a token in vain. Its value is the person's id. */
const MARK = "billhook.signed-in";
const LOCK = "billhook-refresh";

type News = { is: "in"; person: string } | { is: "out" };

const channel = new BroadcastChannel("billhook.session");
const listeners = new Set<() => void>();
let person = localStorage.getItem(MARK) ?? undefined;
let given: string | undefined;
let tokens = keptTokens(nextToken);

/** The id of who is signed in; undefined: nobody. */
export function useSessionPerson(): string | undefined {
  return useSyncExternalStore(subscribe, () => person);
}

export const isSignedIn = (): boolean => person !== undefined;

/** Told when somebody came or went. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `access` as a sign-in with `cookie: true` answered it: the refresh token is in its cookie. */
export function beginSession(personId: string, access: string): void {
  given = access;
  tokens = keptTokens(nextToken);
  localStorage.setItem(MARK, personId);
  person = personId;
  channel.postMessage({ is: "in", person: personId } satisfies News);
  for (const listener of listeners) listener();
}

export async function endSession(): Promise<void> {
  // The server ends it first; one that does not answer keeps nobody signed in here.
  await post("/api/v1/auth/logout/").catch(() => undefined);
  forget(true);
}

/** With the session's token; once more with a fresh one when that was refused. */
export async function sendSigned(request: Request): Promise<Response> {
  const mine = tokens;
  const again = request.clone();
  const token = await mine.current();
  const answer = await fetch(withToken(request, token));
  if (answer.status !== 401 || token === undefined) return answer;
  const fresh = await mine.renewed(token);
  return fresh === undefined ? answer : fetch(withToken(again, fresh));
}

/** For what is asked without the client, such as a payment's status. */
export const sessionTokens = {
  current: (): Promise<string | undefined> => tokens.current(),
  renewed: (refused: string | undefined): Promise<string | undefined> => tokens.renewed(refused),
};

channel.onmessage = ({ data }: MessageEvent<News>) => {
  if (data.is === "out") forget(false);
  else if (person === undefined) {
    person = data.person;
    for (const listener of listeners) listener();
  } else if (person !== data.person) location.reload();
};

function forget(tellsOthers: boolean): void {
  if (person === undefined) return;
  person = undefined;
  given = undefined;
  tokens = keptTokens(nextToken);
  localStorage.removeItem(MARK);
  if (tellsOthers) channel.postMessage({ is: "out" } satisfies News);
  for (const listener of listeners) listener();
}

async function nextToken(): Promise<FreshToken | undefined> {
  if (given !== undefined) {
    const token = given;
    given = undefined;
    return { token, expires_at: endOf(token) };
  }
  if (person === undefined) return undefined;
  // Tabs share the cookie, and its token works once: one tab at a time.
  const { locks } = navigator as { locks?: LockManager };
  return locks === undefined ? refreshed() : locks.request(LOCK, refreshed);
}

async function refreshed(): Promise<FreshToken | undefined> {
  const response = await post("/api/v1/auth/refresh/");
  if (response.ok) {
    const { tokens: fresh } = (await response.json()) as { tokens: { access: string } };
    return { token: fresh.access, expires_at: endOf(fresh.access) };
  }
  // A server that is busy or gone has ended no session.
  if (response.status !== 401) throw new TypeError(`the session could not be renewed: ${response.status}`);
  forget(true);
  return undefined;
}

/** Kept alive: a page that is left meanwhile must not lose the answer's cookie, as the token before it is used up. */
const post = (path: string): Promise<Response> =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}", keepalive: true });

function withToken(request: Request, token: string | undefined): Request {
  if (token !== undefined) request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

/** The JWT's `exp`, so that it is renewed before it is refused. */
function endOf(token: string): string | undefined {
  const [, payload = ""] = token.split(".");
  const { exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { exp?: number };
  return exp === undefined ? undefined : new Date(exp * 1000).toISOString();
}

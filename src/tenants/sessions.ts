// Sessions and their refresh tokens: rotated at each use, a second use ends the family. Tables: sessions, refresh_tokens
import { randomUUID } from "node:crypto";

import type { Queryable } from "../db/database.ts";
import { hashOf, newToken } from "./bearer-tokens.ts";

/** A refresh token that is not used for so long is worth nothing. */
export const REFRESH_DAYS = 30;
export const REFRESH_SECONDS = REFRESH_DAYS * 86_400;

export interface StartedSession {
  sessionId: string;
  personId: string;
  refresh: string;
}

export async function startSession(tx: Queryable, personId: string, source: string | null): Promise<StartedSession> {
  const sessionId = randomUUID();
  await tx.query({ text: START, values: [sessionId, personId, source, REFRESH_DAYS] });
  return { sessionId, personId, refresh: await addToken(tx, sessionId) };
}

async function addToken(tx: Queryable, sessionId: string): Promise<string> {
  const { token, hash } = newToken();
  await tx.query({ text: ADD_TOKEN, values: [hash, sessionId, REFRESH_DAYS] });
  return token;
}

export type Rotation =
  | ({ outcome: "rotated" } & StartedSession)
  /** Used before: whoever used it first or now has stolen it, so the family was ended. */
  | { outcome: "reused"; personId: string }
  | { outcome: "unknown" };

/** The caller commits also what is not `rotated`: ending the family must not be rolled back. */
export async function rotateRefreshToken(tx: Queryable, token: string): Promise<Rotation> {
  const hash = hashOf(token);
  // Of two uses at the same time one waits here, and then finds it used.
  const { rows: used } = await tx.query<{ sessionId: string; personId: string }>({ text: USE_TOKEN, values: [hash] });
  const [session] = used;
  if (session !== undefined) {
    await tx.query({ text: PROLONG, values: [session.sessionId, REFRESH_DAYS] });
    return { outcome: "rotated", ...session, refresh: await addToken(tx, session.sessionId) };
  }
  const { rows: ended } = await tx.query<{ personId: string }>({ text: END_REUSED, values: [hash] });
  const [family] = ended;
  return family === undefined ? { outcome: "unknown" } : { outcome: "reused", personId: family.personId };
}

/** Whose session this refresh token ended; undefined when it was none, or had ended. */
export async function endByRefreshToken(tx: Queryable, token: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ personId: string }>({ text: END_BY_TOKEN, values: [hashOf(token)] });
  return rows[0]?.personId;
}

export async function endSession(tx: Queryable, sessionId: string, reason: string): Promise<void> {
  await tx.query({ text: END_ONE, values: [sessionId, reason] });
}

/** All sessions of a person but `except`. */
export async function endSessions(tx: Queryable, personId: string, reason: string, except = ""): Promise<void> {
  await tx.query({ text: END_ALL, values: [personId, reason, except] });
}

export async function isOpenSession(tx: Queryable, personId: string, sessionId: string): Promise<boolean> {
  return (await tx.query({ text: IS_OPEN, values: [sessionId, personId] })).rowCount === 1;
}

export interface OpenSession {
  id: string;
  /** Where it was begun from. */
  source: string | null;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}

const MOST_LISTED = 100;

/** A person's, the newest first. */
export async function openSessions(tx: Queryable, personId: string): Promise<OpenSession[]> {
  return (await tx.query<OpenSession>({ text: OPEN, values: [personId, MOST_LISTED] })).rows;
}

/** False: there is none that is open and this person's. */
export async function endOwnSession(tx: Queryable, personId: string, sessionId: string): Promise<boolean> {
  return (await tx.query({ text: END_OWN, values: [sessionId, personId] })).rowCount > 0;
}

/** Sessions whose last refresh token has run out; their tokens go with them. */
export async function purgeSessions(tx: Queryable): Promise<number> {
  return (await tx.query(PURGE)).rowCount;
}

const START = `
  insert into sessions (id, person_id, source, expires_at) values ($1, $2, $3, now() + make_interval(days => $4))`;
const ADD_TOKEN = `
  insert into refresh_tokens (token_hash, session_id, expires_at) values ($1, $2, now() + make_interval(days => $3))`;
const USE_TOKEN = `
  update refresh_tokens as token set used_at = now()
  from sessions as session
  where token.token_hash = $1 and token.used_at is null and token.expires_at > now()
    and session.id = token.session_id and session.ended_at is null
  returning session.id as "sessionId", session.person_id as "personId"`;
const PROLONG = "update sessions set expires_at = now() + make_interval(days => $2) where id = $1";
const END_REUSED = `
  update sessions as session set ended_at = now(), end_reason = 'refresh_token_reused'
  from refresh_tokens as token
  where token.token_hash = $1 and token.used_at is not null
    and session.id = token.session_id and session.ended_at is null
  returning session.person_id as "personId"`;
const END_BY_TOKEN = `
  update sessions as session set ended_at = now(), end_reason = 'logout'
  from refresh_tokens as token
  where token.token_hash = $1 and session.id = token.session_id and session.ended_at is null
  returning session.person_id as "personId"`;
const END_ONE = "update sessions set ended_at = now(), end_reason = $2 where id = $1 and ended_at is null";
const END_ALL = `
  update sessions set ended_at = now(), end_reason = $2 where person_id = $1 and ended_at is null and id <> $3`;
const IS_OPEN = "select from sessions where id = $1 and person_id = $2 and ended_at is null and expires_at > now()";
const OPEN = `
  select session.id, session.source, session.created_at as "createdAt", session.expires_at as "expiresAt",
         coalesce((select max(token.created_at) from refresh_tokens as token where token.session_id = session.id),
                  session.created_at) as "lastUsedAt"
  from sessions as session
  where session.person_id = $1 and session.ended_at is null and session.expires_at > now()
  order by session.created_at desc limit $2`;
const END_OWN = `
  update sessions set ended_at = now(), end_reason = 'ended_by_person'
  where id = $1 and person_id = $2 and ended_at is null and expires_at > now()`;
const PURGE = "delete from sessions where expires_at < now() - interval '1 day'";

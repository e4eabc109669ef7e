// Opens this room: keys derived from SECRET_KEY, and what the acts of people share.
import type { Clock } from "../base/clock.ts";
import { keyRing } from "../base/key-ring.ts";
import type { Secret } from "../base/secret.ts";
import type { Database } from "../db/database.ts";
import { accessTokens } from "./access-tokens.ts";
import { purgeKeptAnswers } from "./kept-answers.ts";
import { purgeTokens } from "./one-time-tokens.ts";
import type { PeopleContext } from "./people-context.ts";
import { purgeLimits } from "./rate-limits.ts";
import { purgeSessions } from "./sessions.ts";

export interface PeopleOptions {
  database: Database;
  clock: Clock;
  /** The current one first. */
  secretKeys: readonly Secret[];
  /** Who issues access tokens: PUBLIC_URL. */
  publicUrl: string;
  frontendUrl: string;
  keyBrand: string;
}

export function openPeople(options: PeopleOptions): PeopleContext {
  const { database, clock, secretKeys, publicUrl, frontendUrl, keyBrand } = options;
  const ring = keyRing(secretKeys);
  return { database, ring, tokens: accessTokens(ring, clock, publicUrl), frontendUrl, keyBrand };
}

/** What has run out: counters, tokens, sessions, kept answers. One statement each. */
export async function purgePeople({ database }: PeopleContext): Promise<void> {
  await purgeLimits(database);
  await purgeTokens(database);
  await purgeSessions(database);
  await purgeKeptAnswers(database);
}

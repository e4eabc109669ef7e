// Answers kept 24 hours under their caller's Idempotency-Key, and the claims of requests that will give one. Table: kept_answers
import type { Queryable } from "../db/database.ts";

const KEPT_HOURS = 24;

/** A claim that is not renewed for so long was its process's last act: the same request may run again. */
export const LEASE_SECONDS = 60;

export interface AnswerKey {
  /** Who asks, in which tenant and mode. */
  caller: string;
  /** Method and pattern: `POST /accounts/invoices/`. */
  route: string;
  /** SHA-256 of the key as it was sent. */
  keyHash: Buffer;
}

export interface AnswerRequest extends AnswerKey {
  tenantId: string | null;
  /** SHA-256 of the whole request: the same key with another one is another operation. */
  requestHash: Buffer;
  requestId: string;
}

/** A request that runs the operation. It alone may settle the claim. */
export interface Claim extends AnswerKey {
  lease: string;
}

export type Claimed =
  /** `operationId` is the same for each run of one operation, and for no other. */
  | { is: "mine"; claim: Claim; operationId: string }
  | { is: "running" }
  | { is: "of another request" }
  /** `answer` is sealed. */
  | { is: "answered"; status: number; answer: string };

/** Between the two statements a claim may be given back: then it is tried again. */
const TRIES = 5;

/** Takes the key for this request, unless another one has it. Of any number at once, on any nodes, one gets it. */
export async function claimAnswer(database: Queryable, request: AnswerRequest): Promise<Claimed> {
  const { caller, route, keyHash, tenantId, requestHash, requestId } = request;
  const key = [caller, route, keyHash];
  for (let tries = TRIES; tries > 0; tries -= 1) {
    const claimed = await database.query<{ operationId: string }>({
      text: CLAIM,
      values: [...key, tenantId, requestHash, requestId, LEASE_SECONDS, KEPT_HOURS],
    });
    const [mine] = claimed.rows;
    if (mine !== undefined) return { is: "mine", claim: { caller, route, keyHash, lease: requestId }, ...mine };
    const found = await database.query<{ same: boolean; status: number | null; answer: string | null }>({
      text: READ,
      values: [...key, requestHash],
    });
    const [kept] = found.rows;
    if (kept === undefined) continue;
    if (!kept.same) return { is: "of another request" };
    if (kept.status === null || kept.answer === null) return { is: "running" };
    return { is: "answered", status: kept.status, answer: kept.answer };
  }
  return { is: "running" };
}

/** False: the lease had ended, and another request has the key. */
export async function keepAnswer(
  database: Queryable,
  claim: Claim,
  { status, answer }: { status: number; answer: string },
): Promise<boolean> {
  return (await database.query({ text: KEEP, values: [...keyOf(claim), status, answer] })).rowCount === 1;
}

/** The operation still runs. */
export async function renewClaim(database: Queryable, claim: Claim): Promise<void> {
  await database.query({ text: LEASE, values: [...keyOf(claim), LEASE_SECONDS] });
}

/** The operation failed and may have left something half done: the same request may run it again now, another may not. */
export async function releaseClaim(database: Queryable, claim: Claim): Promise<void> {
  await database.query({ text: LEASE, values: [...keyOf(claim), 0] });
}

/** The operation has not begun: the key is as if it had never been sent. */
export async function forgetClaim(database: Queryable, claim: Claim): Promise<void> {
  await database.query({ text: FORGET, values: keyOf(claim) });
}

export async function purgeKeptAnswers(database: Queryable): Promise<number> {
  return (await database.query("delete from kept_answers where expires_at < now()")).rowCount;
}

function keyOf({ caller, route, keyHash, lease }: Claim): unknown[] {
  return [caller, route, keyHash, lease];
}

// A key whose 24 hours are over is a new one, whatever its row says; within them the operation keeps its id.
const CLAIM = `
  insert into kept_answers as kept
    (caller, route, key_hash, tenant_id, request_hash, first_request_id, lease, leased_until, expires_at)
  values ($1, $2, $3, $4, $5, $6, $6, now() + make_interval(secs => $7), now() + make_interval(hours => $8))
  on conflict (caller, route, key_hash) do update
  set tenant_id = excluded.tenant_id, request_hash = excluded.request_hash,
      first_request_id = case when kept.expires_at <= now() then excluded.first_request_id else kept.first_request_id end,
      expires_at = case when kept.expires_at <= now() then excluded.expires_at else kept.expires_at end,
      lease = excluded.lease, leased_until = excluded.leased_until, status = null, answer = null
  where kept.expires_at <= now()
     or (kept.status is null and kept.leased_until <= now() and kept.request_hash = excluded.request_hash)
  returning first_request_id as "operationId"`;
const READ = `
  select request_hash = $4 as same, status, answer from kept_answers where caller = $1 and route = $2 and key_hash = $3`;
const MINE = "caller = $1 and route = $2 and key_hash = $3 and lease = $4 and status is null";
const KEEP = `update kept_answers set status = $5, answer = $6 where ${MINE}`;
const LEASE = `update kept_answers set leased_until = now() + make_interval(secs => $5) where ${MINE}`;
const FORGET = `delete from kept_answers where ${MINE}`;

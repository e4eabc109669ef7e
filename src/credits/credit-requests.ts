// Spends, grants and refunds that a tenant asks for: each once per Idempotency-Key, those of one lane in one commit.
import { createHash } from "node:crypto";

import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { databaseFailure, isItemsFault } from "../db/failure.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import type { Act } from "../tenants/people-context.ts";
import { gather } from "./gather.ts";
import { expire, grant, MAX_BALANCE, spend } from "./ledger.ts";
import type { AccountRef, Credits, Entry, Ledger } from "./lots.ts";
import { entriesBySource, spendAndRefunds } from "./ledger-reads.ts";
import { accountText } from "./account-keys.ts";
import { lockLedgers, type StoredEntry, writeLedgers } from "./ledger-tables.ts";

/** refund: spent credits are given back. */
export type CreditOperation = "spend" | "grant" | "refund";

export interface CreditRequest {
  operation: CreditOperation;
  livemode: boolean;
  accountId: string;
  /** 1 to MAX_AMOUNT. */
  amount: Credits;
  reason: string;
  reference: string | null;
  /** Of what is given; null: never. */
  expiresAt: Date | null;
  /** Who asks: grants and refunds stand in the audit log. */
  act: Act;
  /** The Idempotency-Key: the entry's source in this tenant and mode, for ever. */
  key: string;
}

export interface CreditAnswer {
  entry: StoredEntry;
  /** It was carried out before, and this is its stored answer. */
  replayed: boolean;
}

export const MAX_AMOUNT = 1_000_000_000_000;

export interface CreditDesk {
  /**
   * Resolves when it is on disk. Throws `insufficient_credits` (nothing was taken, and the key is free for another try),
   * `not_found`, `idempotency_key_reused`, `invalid_request`, `overloaded`.
   */
  post: (scope: TenantScope, request: CreditRequest) => Promise<CreditAnswer>;
}

/** Of one tenant and mode at the same time: one waits for the disk while the other is decided. */
const LANES = 2;
const MAX_BATCH = 256;
const MAX_WAITING = 10_000;
const CONFLICT_TRIES = 3;

interface Item {
  scope: TenantScope;
  request: CreditRequest;
}

/** One in each process. An account always goes by the same lane, so that two batches never wait for one balance. */
export function creditDesk(): CreditDesk {
  const lanes = gather<Item, CreditAnswer>({
    write: (_, items) => carryOut(items),
    maxBatch: MAX_BATCH,
    maxWaiting: MAX_WAITING,
    isItemsFault,
  });
  return { post: (scope, request) => lanes.add(laneOf(scope, request), { scope, request }) };
}

function laneOf({ tenantId }: TenantScope, { livemode, accountId }: CreditRequest): string {
  const lane = (createHash("sha256").update(accountId).digest()[0] ?? 0) % LANES;
  return `${tenantId}|${livemode ? "live" : "test"}|${String(lane)}`;
}

/** One commit for requests of one tenant in one mode; each is decided on its own, in this order. */
async function carryOut(items: readonly Item[]): Promise<(CreditAnswer | Error)[]> {
  const [first] = items;
  if (first === undefined) return [];
  const requests = items.map(({ request }) => request);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await first.scope.transaction((tx) => decideAndWrite(tx, first.scope.tenantId, requests));
    } catch (error) {
      // The key of another account, at the same time on another node: the next look finds its entry.
      const again = databaseFailure(error) === "conflict" || isSourceTaken(error);
      if (!again || attempt === CONFLICT_TRIES) throw error;
    }
  }
}

function isSourceTaken(error: unknown): boolean {
  return error instanceof Error && "constraint" in error && error.constraint === "credit_entries_source";
}

export async function decideAndWrite(
  tx: Queryable,
  tenantId: string,
  requests: readonly CreditRequest[],
): Promise<(CreditAnswer | Error)[]> {
  const livemode = requests[0]?.livemode ?? false;
  const refOf = ({ accountId }: CreditRequest): AccountRef => ({ tenantId, livemode, accountId });
  // The entries are read behind the locks, though nobody waits: statements run in the order in which they were asked.
  const [{ ledgers, now }, known] = await Promise.all([
    lockLedgers(
      tx,
      requests.map((request) => ({
        ...refOf(request),
        ...(request.operation === "spend" ? { spends: request.amount } : { gives: request.amount }),
      })),
    ),
    entriesBySource(tx, { tenantId, livemode }, [...new Set(requests.map(sourceOf))]),
  ]);
  const answers: (CreditAnswer | Error)[] = [];
  const given: { entry: StoredEntry; request: CreditRequest }[] = [];
  for (const request of requests) {
    const earlier = known.get(sourceOf(request));
    if (earlier !== undefined) {
      answers.push(isOf(earlier, request) ? { entry: earlier, replayed: true } : publicError("idempotency_key_reused"));
      continue;
    }
    const ledger = ledgers.get(accountText(refOf(request)));
    const decided =
      ledger === undefined
        ? publicError("not_found", { message: "There is no account with this id: check it." })
        : await decide(tx, ledger, request, now);
    if (!(decided instanceof Error)) {
      const entry: StoredEntry = { ...decided, accountId: request.accountId, createdAt: now };
      known.set(entry.source, entry);
      answers.push({ entry, replayed: false });
      if (request.operation !== "spend") given.push({ entry, request });
    } else answers.push(decided);
  }
  await Promise.all([
    writeLedgers(tx, ledgers.values(), now),
    ...given.map(({ entry, request }) => auditGiven(tx, tenantId, entry, request)),
  ]);
  return answers;
}

/** A spend is its own record; who gave something away stands in the audit log. */
function auditGiven(tx: Queryable, tenantId: string, entry: StoredEntry, request: CreditRequest): Promise<void> {
  const { act, operation, accountId, amount, reason } = request;
  const action = operation === "refund" ? "credits.refunded" : "credits.granted";
  const after = { entry_id: entry.id, amount, reason };
  return audit(tx, { tenantId, ...act, action, target: accountId, after });
}

function sourceOf({ key }: CreditRequest): string {
  return `key:${key}`;
}

const KIND = { spend: "spend", grant: "grant", refund: "restoral" } as const;

/** Whether the entry is what this request asked for. */
function isOf(entry: StoredEntry, request: CreditRequest): boolean {
  const { operation, accountId, amount, reason, reference, expiresAt } = request;
  return (
    entry.kind === KIND[operation] &&
    entry.accountId === accountId &&
    Math.abs(entry.amount) === amount &&
    entry.reason === reason &&
    entry.reference === reference &&
    (entry.expiresAt?.getTime() ?? null) === (expiresAt?.getTime() ?? null)
  );
}

async function decide(tx: Queryable, ledger: Ledger, request: CreditRequest, now: Date): Promise<Entry | Error> {
  const { operation, amount, reason, reference, expiresAt } = request;
  const cause = { source: sourceOf(request), reason, reference };
  expire(ledger);
  if (operation === "spend") return spend(ledger, amount, cause) ?? publicError("insufficient_credits");
  if (expiresAt !== null && expiresAt <= now) {
    return publicError("invalid_request", { message: "`expires_at` must be in the future.", param: "expires_at" });
  }
  if (ledger.balance + amount > MAX_BALANCE) {
    return publicError("invalid_request", { message: "No balance grows so far: give less.", param: "amount" });
  }
  if (operation === "refund" && reference !== null && isId(reference, "crd")) {
    const refused = await beyondSpend(tx, ledger, reference, amount);
    if (refused !== undefined) return refused;
  }
  return grant(ledger, operation === "refund" ? "restoral" : "grant", amount, { ...cause, expiresAt });
}

/** A refund that names its spend gives back no more than was spent in it, all refunds together. */
async function beyondSpend(
  tx: Queryable,
  ledger: Ledger,
  reference: string,
  amount: Credits,
): Promise<Error | undefined> {
  const stored = await spendAndRefunds(tx, ledger.ref, reference);
  const here = ledger.entries.filter((entry) => entry.kind === "restoral" && entry.reference === reference);
  const spent =
    stored?.spent ?? -(ledger.entries.find(({ id, kind }) => id === reference && kind === "spend")?.amount ?? 0);
  const refunded = (stored?.refunded ?? 0) + here.reduce((sum, entry) => sum + entry.amount, 0);
  if (spent === 0) {
    const message = "`reference` names no spend of this account: send the id of its entry, or an id of your own.";
    return publicError("invalid_request", { message, param: "reference" });
  }
  if (refunded + amount <= spent) return undefined;
  const message = `Of this spend ${String(spent - refunded)} credits are left to refund: send no more.`;
  return publicError("invalid_request", { message, param: "amount" });
}

// How Stripe's webhooks were met at the door: counted in memory, written down every few seconds. Table: webhook_receipts
import type { Clock } from "../base/clock.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { ReceiptNotes, RefusedDelivery } from "../inbox/receive.ts";
import { readEnvelope } from "../stripe/envelope.ts";
import type { SignatureRefusal, SigningSecret } from "../stripe/signature.ts";
import { fitsRewritten } from "./doctor-rewritten.ts";

export type ReceiptKind = "platform" | "connect" | "none";
export type ReceiptOutcome = "accepted" | SignatureRefusal | "changed";

interface ReceiptKey {
  address: string;
  kind: ReceiptKind;
  livemode: "live" | "test" | "";
  outcome: ReceiptOutcome;
  /** The variable of the secret that signed it; "" where none fits. */
  secret: string;
}

export interface Receipt extends ReceiptKey {
  count: number;
  lastAt: Date;
}

export interface WebhookReceipts extends ReceiptNotes {
  /** Writes down what was counted since the last time. */
  flush(): Promise<void>;
  /** The last flush; what comes after it is forgotten. */
  close(): Promise<void>;
}

export interface ReceiptOptions {
  database: Database;
  clock: Pick<Clock, "now">;
  secrets: readonly SigningSecret[];
  onError: (error: unknown) => void;
}

const FLUSH_MS = 5_000;
/** Refused bodies that are looked into between two flushes: whoever floods the door gets no more than that parsed. */
const LOOKED_INTO = 20;
/** What the doctor itself posts: see doctor-door.ts. */
export const PROBE_OBJECT = "billhook.doctor";

export function webhookReceipts({ database, clock, secrets, onError }: ReceiptOptions): WebhookReceipts {
  let counted = new Map<string, Receipt>();
  let timer: NodeJS.Timeout | undefined;
  let looked = 0;
  let closed = false;
  let writing: Promise<void> = Promise.resolve();

  const count = (key: ReceiptKey): void => {
    if (closed) return;
    const name = `${key.address} ${key.kind} ${key.livemode} ${key.outcome} ${key.secret}`;
    const known = counted.get(name);
    if (known === undefined) counted.set(name, { ...key, count: 1, lastAt: new Date(clock.now()) });
    else {
      known.count += 1;
      known.lastAt = new Date(clock.now());
    }
    if (timer === undefined) {
      timer = setTimeout(() => {
        flush().catch(onError);
      }, FLUSH_MS);
      // A command that has nothing else to do ends.
      timer.unref();
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    looked = 0;
    const receipts = [...counted.values()];
    counted = new Map();
    // One after the other: two writers of one row would wait for each other's commit.
    const written = writing.then(async () => writeReceipts(database, receipts));
    writing = written.catch(() => undefined);
    return written;
  };
  return {
    accepted: (address, secret, { account, livemode }) => {
      const kind = account === "" ? "platform" : "connect";
      count({ address, kind, livemode: livemode ? "live" : "test", outcome: "accepted", secret });
    },
    refused: (refusal) => {
      if (closed || looked >= LOOKED_INTO) return;
      looked += 1;
      const key = keyOf(refusal, secrets);
      if (key !== undefined) count(key);
    },
    flush,
    close: async () => {
      closed = true;
      await flush().catch(onError);
    },
  };
}

/** Undefined: the doctor's own question. */
function keyOf(refusal: RefusedDelivery, secrets: readonly SigningSecret[]): ReceiptKey | undefined {
  const { address, reason, body, signature } = refusal;
  const reading = readEnvelope(body);
  if (!reading.ok) {
    if (body.length < 1_000 && body.includes(PROBE_OBJECT)) return undefined;
    return { address, kind: "none", livemode: "", outcome: reason, secret: "" };
  }
  const { account, livemode } = reading.envelope;
  const secret = reason === "mismatch" ? fitsRewritten(reading, signature, secrets) : undefined;
  return {
    address,
    kind: account === "" ? "platform" : "connect",
    livemode: livemode ? "live" : "test",
    outcome: secret === undefined ? reason : "changed",
    secret: secret ?? "",
  };
}

/** Sorted, so that two nodes that write at once do not wait for each other crosswise. */
async function writeReceipts(database: Database, receipts: readonly Receipt[]): Promise<void> {
  if (receipts.length === 0) return;
  const columns = (["address", "kind", "livemode", "outcome", "secret"] as const).map((name) =>
    receipts.map((receipt) => receipt[name]),
  );
  const values = [...columns, receipts.map(({ count }) => count), receipts.map(({ lastAt }) => lastAt.toISOString())];
  // What a power cut loses here is a count.
  await database.transaction((tx) => tx.query({ text: WRITE, values }), { durable: false });
}

export async function readReceipts(tx: Queryable): Promise<Receipt[]> {
  return (await tx.query<Receipt>(READ)).rows;
}

const WRITE = `
  insert into webhook_receipts as known (address, kind, livemode, outcome, secret, count, last_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
    as counted (address, kind, livemode, outcome, secret, count, last_at)
  order by address, kind, livemode, outcome, secret
  on conflict (address, kind, livemode, outcome, secret) do update
  set count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)`;

const READ = `
  select address, kind, livemode, outcome, secret, count, last_at as "lastAt" from webhook_receipts
  order by address, kind, livemode, outcome, secret`;

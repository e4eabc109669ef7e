// Facts: what happened, each thing once. Stored here in the commit of the observation that yielded them. Table: facts
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface StoredFact {
  tenantId: string;
  livemode: boolean;
  type: string;
  naturalKey: string;
  stripeAccount: string;
  objectType: string;
  objectId: string | null;
  /** Unix seconds of the observation. */
  occurredAt: number;
  observationId: string;
}

/** Stores what is new among these facts, or earlier than what is known. Sorted by key, so that two nodes never wait for each other crosswise. */
export async function insertFacts(tx: Queryable, facts: readonly StoredFact[]): Promise<void> {
  if (facts.length === 0) return;
  const sorted = [...earliest(facts)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
  await tx.query({
    name: "insert_facts",
    text: INSERT,
    values: [
      textArray(sorted.map((fact) => fact.tenantId)),
      booleanArray(sorted.map((fact) => fact.livemode)),
      textArray(sorted.map((fact) => fact.type)),
      textArray(sorted.map((fact) => fact.naturalKey)),
      textArray(sorted.map((fact) => fact.stripeAccount)),
      textArray(sorted.map((fact) => fact.objectType)),
      textArray(sorted.map((fact) => fact.objectId)),
      bigintArray(sorted.map((fact) => fact.occurredAt)),
      textArray(sorted.map((fact) => fact.observationId)),
    ],
  });
}

/** Several observations may yield a fact: the earliest says when it happened, whichever came first. */
function earliest(facts: readonly StoredFact[]): Map<string, StoredFact> {
  const found = new Map<string, StoredFact>();
  for (const fact of facts) {
    const key = keyOf(fact);
    const known = found.get(key);
    if (known === undefined || isEarlier(fact, known)) found.set(key, fact);
  }
  return found;
}

function isEarlier(a: StoredFact, b: StoredFact): boolean {
  return a.occurredAt < b.occurredAt || (a.occurredAt === b.occurredAt && a.observationId < b.observationId);
}

function keyOf(fact: StoredFact): string {
  return [fact.tenantId, fact.livemode, fact.type, fact.naturalKey].join("|");
}

const INSERT = `
  insert into facts (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id)
  select tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, to_timestamp(occurred_at), observation_id
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
    as fact (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id)
  on conflict (tenant_id, livemode, type, natural_key) do update
  set occurred_at = excluded.occurred_at, observation_id = excluded.observation_id,
      stripe_account = excluded.stripe_account, object_type = excluded.object_type, object_id = excluded.object_id
  where (excluded.occurred_at, excluded.observation_id) < (facts.occurred_at, facts.observation_id)`;

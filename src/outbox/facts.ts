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

/** Stores what is new among these facts. Sorted by key, so that two nodes never wait for each other crosswise. */
export async function insertFacts(tx: Queryable, facts: readonly StoredFact[]): Promise<void> {
  if (facts.length === 0) return;
  const sorted = [...facts].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
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

function keyOf(fact: StoredFact): string {
  return [fact.tenantId, fact.livemode, fact.type, fact.naturalKey].join("|");
}

const INSERT = `
  insert into facts (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id)
  select tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, to_timestamp(occurred_at), observation_id
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
    as fact (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id)
  on conflict do nothing`;

// What came of deliveries as arrays, one for each column, and the rows that a statement makes of them.
import { bigintArray, textArray } from "../db/arrays.ts";
import type { DeliveryEnd } from "./claimed-delivery.ts";

/** $1 to $15 of a statement with ENDED, which counts them from 1 on: `nth`. */
export function endArrays(ends: readonly DeliveryEnd[]): Buffer[] {
  const attempts = ends.map(({ attempt }) => attempt);
  return [
    textArray(ends.map(({ delivery }) => delivery.endpointId)),
    textArray(ends.map(({ delivery }) => delivery.id)),
    textArray(ends.map(({ delivery }) => delivery.lease)),
    textArray(ends.map(({ status }) => status)),
    bigintArray(ends.map(({ wait }) => wait)),
    textArray(ends.map(({ error }) => error)),
    textArray(attempts.map((attempt) => attempt?.id)),
    bigintArray(attempts.map((attempt) => attempt?.at)),
    textArray(attempts.map((attempt) => attempt?.url)),
    textArray(attempts.map((attempt) => jsonOf(attempt?.requestHeaders))),
    bigintArray(attempts.map((attempt) => attempt?.statusCode)),
    bigintArray(attempts.map((attempt) => attempt?.latencyMs)),
    textArray(attempts.map((attempt) => jsonOf(attempt?.responseHeaders))),
    textArray(attempts.map((attempt) => attempt?.responseBody)),
    textArray(attempts.map((attempt) => attempt?.errorCode)),
  ];
}

const jsonOf = (value: object | null | undefined): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

export const ENDED = `
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
      $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[]) with ordinality
      as ended (endpoint_id, delivery_id, lease, status, wait, error, attempt_id, at, url, request_headers, status_code,
                latency_ms, response_headers, response_body, error_code, nth)`;

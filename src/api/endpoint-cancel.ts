// Behind a request that takes an endpoint's deliveries away, or those of a mode: what waits is ended, the most of it at once.
import { CANCELED_AT_ONCE, cancelInPieces } from "../outbox/delivery-cancel.ts";
import { scopeOf, tenantOf } from "./caller.ts";
import type { Call } from "./route.ts";

/** A caller waits for no more; what is left ends within a minute in the background. */
const PIECES = 5;

/** It does nothing to what the endpoint takes, by then perhaps again. */
export async function cancelWaiting(
  call: Pick<Call<unknown, unknown, unknown>, "deps" | "caller">,
  endpointId: string,
) {
  const key = { tenantId: tenantOf(call.caller).id, endpointId };
  const { database, deliveriesCanceled: canceled } = call.deps;
  const limit = CANCELED_AT_ONCE[database.kind];
  await cancelInPieces(scopeOf(call), key, { limit, goesOn: (pieces) => pieces < PIECES, canceled });
}

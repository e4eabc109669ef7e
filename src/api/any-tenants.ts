// The operator's routes of one row of any tenant's, found by its id alone: as the tenant's own route answers, with whose it is.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import type { IdPrefix } from "../base/ids.ts";
import { ownerOfId } from "../billing/search-ids.ts";
import type { Queryable } from "../db/database.ts";
import { idParams } from "./query-fields.ts";
import { type ApiDependencies, type Operation, operation } from "./route.ts";

/** Beside what the tenant's own route answers. */
export const ownerFields = { tenant_id: z.string() };

interface OwnedKey {
  tenantId: string;
  /** Of what belongs to both modes: this server's. */
  livemode: boolean;
  id: string;
}

interface OwnedRead {
  prefix: IdPrefix;
  /** With `ownerFields`. */
  answer: z.ZodType;
  /** Throws `not_found`. */
  read: (tx: Queryable, key: OwnedKey, deps: ApiDependencies) => Promise<object>;
}

export function readAnyOperation({ prefix, answer, read }: OwnedRead): Operation {
  return operation({
    tag: "Operator",
    params: idParams,
    answers: { 200: answer },
    run: async ({ deps, params: { id } }) =>
      deps.database.transaction(async (tx) => {
        const owner = await ownerOfId(tx, id, prefix);
        if (owner === undefined) throw publicError("not_found");
        const { tenantId, livemode } = owner;
        const found = await read(tx, { tenantId, livemode: livemode ?? deps.livemode, id }, deps);
        return { ...found, tenant_id: tenantId };
      }),
  });
}

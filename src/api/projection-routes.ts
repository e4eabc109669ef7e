// The operator's lists of Stripe objects: one pair of operations, made for each list of inbox/projection-reads.ts.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { fieldsOf, listRows, LISTS, readRow } from "../inbox/projection-reads.ts";
import type { ListName } from "../inbox/projection-reads.ts";
import type { ColumnType } from "../projections/projection.ts";
import {
  id,
  idParams,
  isoTime,
  listOf,
  pageFields,
  rangeFields,
  scopeFields,
  searchText,
  wordList,
} from "./query-fields.ts";
import { operation } from "./route.ts";
import type { Operation } from "./route.ts";

const SCHEMA_NAMES: Record<ListName, string> = {
  customers: "Customer",
  subscriptions: "Subscription",
  invoices: "Invoice",
  payments: "Payment",
  refunds: "Refund",
  disputes: "Dispute",
};

const FIELD_TYPES: Record<ColumnType, z.ZodType> = {
  text: z.string().nullable(),
  bigint: z.int().nullable(),
  boolean: z.boolean().nullable(),
  time: isoTime.nullable(),
  json: z.unknown(),
  decimal: z.string().nullable().meta({ description: "A decimal number." }),
};

/** Never null, whatever Stripe says. */
const CERTAIN = {
  id: z.string(),
  livemode: z.boolean(),
  account: z.string().nullable().meta({ description: "The connected account; null for the platform's own." }),
  deleted: z.boolean(),
  order_ambiguous: z.boolean().meta({ description: "Several states tied: the object is being fetched from Stripe." }),
  updated_at: isoTime,
};

const UNREAD =
  "Columns whose field could not be read in this shape; of what stands in a table of its own, such as a subscription's items, `table.column`, and `table.has_more` where Stripe's list goes on beyond its event.";

function rowFields(name: ListName): Record<string, z.ZodType> {
  const fields = Object.entries(fieldsOf(name)).map(([field, type]) => [field, FIELD_TYPES[type]]);
  const unread = z.array(z.string()).meta({ description: UNREAD });
  return { ...(Object.fromEntries(fields) as Record<string, z.ZodType>), ...CERTAIN, unread_fields: unread };
}

const WORD = /^[a-z_]{1,50}$/;

function listQuery(name: ListName) {
  const fields = {
    ...scopeFields,
    customer: id.optional(),
    ...rangeFields,
    flagged: z
      .enum(["true", "false"])
      .transform((text) => text === "true")
      .optional()
      .meta({ description: "Rows that need a look: their order is ambiguous, or a field could not be read." }),
    text: searchText,
    ...pageFields,
  };
  const status = wordList(WORD, "must be statuses of Stripe's, separated by commas");
  return Object.hasOwn(LISTS[name].projection.columns, "status")
    ? z.strictObject({ status, ...fields })
    : z.strictObject(fields);
}

export function listOperation(name: ListName): Operation {
  return operation({
    tag: "Billing state",
    query: listQuery(name),
    answers: { 200: listOf(z.strictObject(rowFields(name)).meta({ id: SCHEMA_NAMES[name] })) },
    run: async ({ deps, query }) => {
      const { status: statuses = [], ...rest } = { status: undefined, ...query };
      return listRows(deps.database, name, { ...rest, statuses });
    },
  });
}

export function readOperation(name: ListName): Operation {
  const data = z.unknown().meta({ description: "The newest snapshot, as Stripe wrote it." });
  return operation({
    tag: "Billing state",
    params: idParams,
    query: z.strictObject(scopeFields),
    answers: { 200: z.strictObject({ ...rowFields(name), data }).meta({ id: `${SCHEMA_NAMES[name]}Detail` }) },
    run: async ({ deps, params, query }) => {
      const row = await readRow(deps.database, name, params.id, query);
      if (row === null) throw publicError("not_found");
      return row;
    },
  });
}

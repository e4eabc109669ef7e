// The proof of the ledger over HTTP: differences as lines of JSON while it looks.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import type { AccountRef } from "../credits/lots.ts";
import { verifyLedger } from "../credits/ledger-verify.ts";
import { answerInLines, LINES } from "./progress-lines.ts";
import { operation, patient } from "./route.ts";

const DESCRIPTION =
  "One JSON object a line: `{progress}` after each page, `{difference}` for each account that does not agree, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; `after` of the last `progress` goes on with it.";

export const verifyLedgerRoute = operation({
  tag: "Credits",
  body: z
    .strictObject({
      after: z
        .string()
        .max(200)
        .optional()
        .meta({ description: "From the last `progress` of a proof that was stopped." }),
    })
    .nullish(),
  answers: { 200: { description: DESCRIPTION, contentType: LINES } },
  run: async ({ deps, body, reply, requestId }) => {
    const after = body?.after === undefined ? undefined : readPlace(body.after);
    const { answer } = answerInLines(
      { deps, reply, requestId },
      {
        event: "ledger.verified",
        run: async ({ progress, difference, signal }) => {
          const done = await verifyLedger({
            database: patient(deps),
            clock: deps.clock,
            after,
            onProgress: (accounts, last) => {
              progress({ accounts, after: placeOf(last) });
            },
            onDifference: ({ tenantId, livemode, accountId, what, stored, computed }) =>
              difference({ tenant_id: tenantId, livemode, account_id: accountId, what, stored, computed }),
            signal,
          });
          return { done, log: { objects: done.accounts, differences: done.differences } };
        },
      },
    );
    return answer;
  },
});

/** `ten_….live.acc_…` */
const placeOf = ({ tenantId, livemode, accountId }: AccountRef): string =>
  `${tenantId}.${livemode ? "live" : "test"}.${accountId}`;

function readPlace(text: string): AccountRef {
  const [tenantId = "", mode, accountId = "", ...more] = text.split(".");
  const known = (mode === "live" || mode === "test") && more.length === 0;
  if (known && isId(tenantId, "ten") && isId(accountId, "acc"))
    return { tenantId, livemode: mode === "live", accountId };
  const message = "`after` is none of a proof's: send the one of its last progress, unchanged, or none.";
  throw publicError("invalid_request", { message, param: "after" });
}

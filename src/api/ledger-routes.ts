// The proof of the ledger over HTTP: differences as lines of JSON while it looks.
import { PassThrough } from "node:stream";

import { errorBody, publicError } from "../base/errors.ts";
import { verifyLedger } from "../credits/ledger-verify.ts";
import { requestError } from "./request-errors.ts";
import { type ApiDependencies, operation } from "./route.ts";

const DESCRIPTION =
  "One JSON object a line: `{progress}` after each page, `{difference}` for each account that does not agree, `{done}` at the end, `{error}` if it fails. Closing the connection stops it.";

export const verifyLedgerRoute = operation({
  tag: "Credits",
  answers: { 200: { description: DESCRIPTION, contentType: "application/x-ndjson" } },
  run: async ({ deps, reply, requestId }) => {
    const lines = new PassThrough();
    const stop = new AbortController();
    reply.raw.on("close", () => stop.abort());
    void verifyInto(deps, lines, stop, requestId);
    return reply.type("application/x-ndjson").send(lines);
  },
});

async function verifyInto(
  deps: Pick<ApiDependencies, "database" | "stopping" | "log">,
  lines: PassThrough,
  stop: AbortController,
  requestId: string,
): Promise<void> {
  const tell = (line: Record<string, unknown>): void => {
    if (!lines.destroyed) lines.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const done = await verifyLedger({
      database: deps.database,
      onProgress: (accounts) => {
        if (deps.stopping()) stop.abort();
        tell({ progress: { accounts } });
      },
      onDifference: ({ tenantId, livemode, accountId, what, stored, computed }) =>
        tell({ difference: { tenant_id: tenantId, livemode, account_id: accountId, what, stored, computed } }),
      signal: stop.signal,
    });
    const outcome = stop.signal.aborted ? "stopped" : "finished";
    deps.log.unit("ledger.verified", {
      ...{ request_id: requestId, objects: done.accounts, differences: done.differences, outcome },
    });
    if (outcome === "stopped") tell({ error: errorBody(publicError("stopping"), requestId) });
    else tell({ done });
  } catch (thrown) {
    deps.log.unit("ledger.verified", { request_id: requestId, outcome: "failed", error: thrown });
    tell({ error: errorBody(requestError(thrown), requestId) });
  }
  lines.end();
}

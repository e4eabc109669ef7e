// Report runs: answered as pending, done at once. The file that a report names is not made.
import type Stripe from "stripe";

import { blank } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf, type ListParameters } from "../core/list.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";

const KIND = "reporting.report_run";
/** `balance.summary.1`: a name in words, and its version. */
const REPORT_TYPE = /^[a-z_]+(\.[a-z_]+)*\.\d+$/;

function createRun(tx: Transaction, given: Stripe.Reporting.ReportRunCreateParams): Stripe.Reporting.ReportRun {
  if (!REPORT_TYPE.test(given.report_type)) {
    throw invalidRequest(`No such report type: '${given.report_type}'`, {
      param: "report_type",
      code: "resource_missing",
    });
  }
  const id = tx.newId(KIND);
  const run = blank(KIND, {
    id,
    created: tx.now,
    livemode: tx.scope.livemode,
    parameters: given.parameters ?? {},
    report_type: given.report_type,
    status: "pending",
  }) as unknown as Stripe.Reporting.ReportRun;
  const done = { ...run, result: fileOf(tx, id), status: "succeeded", succeeded_at: tx.now };
  tx.put(KIND, done);
  tx.raise("reporting.report_run.succeeded", done);
  return run;
}

function fileOf(tx: Transaction, run: string): Stripe.File {
  const id = `file_${tx.world.random.text(24)}`;
  return blank("file", {
    id,
    created: tx.now,
    expires_at: tx.now + 365 * 86_400,
    filename: `${run}.csv`,
    links: { object: "list", data: [], has_more: false, url: `/v1/file_links?file=${id}` },
    purpose: "finance_report_run",
    title: `FileUpload for reporting run ${run}`,
    type: "csv",
    url: `https://files.stripe.com/v1/files/${id}/contents`,
  }) as unknown as Stripe.File;
}

export const reportRoutes: Route[] = [
  route<Stripe.Reporting.ReportRunCreateParams>()("POST /v1/reporting/report_runs", createRun),
  route<Stripe.Reporting.ReportRunListParams>()("GET /v1/reporting/report_runs", (tx, given) =>
    listOf(tx.all(KIND), "/v1/reporting/report_runs", given as ListParameters),
  ),
  route<object>()("GET /v1/reporting/report_runs/*", (tx, _, id) => tx.get(KIND, id)),
];

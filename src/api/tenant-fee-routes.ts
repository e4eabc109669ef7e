// Routes of a tenant's terms, the platform's share of its payments: the operator changes them, the tenant reads them.
import { z } from "zod";

import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { changeTenantFee, readTenant, readTenantFee } from "../tenants/tenant-table.ts";
import { actOf, scopeOf } from "./caller.ts";
import { percent } from "./connected-invoice-routes.ts";
import { idParams, isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

const TermsAnswer = z
  .strictObject({
    id: z.string(),
    company_name: z.string(),
    platform: z.boolean(),
    application_fee_percent: z.number().nullable().meta({ description: "null: `PLATFORM_FEE_PERCENT`." }),
    created_at: isoTime,
  })
  .meta({ id: "TenantTerms" });

export const changeTenantTerms = operation({
  tag: "Operator",
  params: idParams,
  body: z.strictObject({
    application_fee_percent: percent.nullable().meta({ description: "null: that of the configuration." }),
  }),
  answers: { 200: TermsAnswer },
  run: async ({ deps, params: { id }, body, caller }) =>
    deps.database.transaction(async (tx) => {
      const fee = body.application_fee_percent;
      const changed = await changeTenantFee(tx, id, fee);
      if (changed === undefined) {
        throw publicError("not_found", { message: "There is no tenant with this id: check it." });
      }
      const change = {
        before: { application_fee_percent: changed.before },
        after: { application_fee_percent: fee },
      };
      await audit(tx, { tenantId: id, ...actOf(caller), action: "tenant.fee_changed", target: id, ...change });
      const { companyName: company_name, platform, createdAt } = await readTenant(tx, id);
      return { id, company_name, platform, application_fee_percent: fee, created_at: createdAt.toISOString() };
    }),
});

export const readTenantTerms = operation({
  tag: "Stripe Connect",
  answers: {
    200: z
      .strictObject({
        application_fee_percent: z.number().meta({ description: "Of what is paid, unless an invoice says otherwise." }),
      })
      .meta({ id: "OwnTerms" }),
  },
  run: async (call) => {
    const scope = scopeOf(call);
    return { application_fee_percent: (await readTenantFee(scope, scope.tenantId)) ?? call.deps.platformFeePercent };
  },
});

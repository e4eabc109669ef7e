// Tax rates: percentages that invoices and sessions add, or find inside their amounts.
import type Stripe from "stripe";
import { blank } from "../core/blank.ts";
import { equal } from "../core/difference.ts";
import { invalidRequest } from "../core/errors.ts";
import { listOf } from "../core/list.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { given, named } from "./given.ts";

export function createTaxRate(tx: Transaction, params: Stripe.TaxRateCreateParams): Stripe.TaxRate {
  const { percentage } = params;
  if (percentage < 0 || percentage > 100) {
    throw invalidRequest("Invalid percentage: it must be between 0 and 100.", { param: "percentage" });
  }
  const rate = blank("tax_rate", {
    id: tx.newId("tax_rate"),
    active: params.active ?? true,
    country: given(params.country),
    created: tx.now,
    description: given(params.description),
    display_name: params.display_name,
    effective_percentage: percentage,
    inclusive: params.inclusive,
    jurisdiction: given(params.jurisdiction),
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, params.metadata),
    percentage,
    rate_type: "percentage",
    state: given(params.state),
    tax_type: params.tax_type ?? null,
  }) as unknown as Stripe.TaxRate;
  tx.put("tax_rate", rate);
  tx.raise("tax_rate.created", rate);
  return rate;
}

export function updateTaxRate(tx: Transaction, id: string, params: Stripe.TaxRateUpdateParams): Stripe.TaxRate {
  const old = named(tx, "tax_rate", id, "tax_rate");
  const after = {
    ...old,
    active: params.active ?? old.active,
    country: given(params.country, old.country),
    description: given(params.description, old.description),
    display_name: params.display_name ?? old.display_name,
    jurisdiction: given(params.jurisdiction, old.jurisdiction),
    metadata: mergeMetadata(old.metadata, params.metadata ?? {}),
    state: given(params.state, old.state),
    tax_type: given(params.tax_type, old.tax_type),
  };
  return equal(old, after) ? old : tx.change("tax_rate", after, "tax_rate.updated");
}

export function listTaxRates(tx: Transaction, params: Stripe.TaxRateListParams): object {
  const { active, inclusive } = params;
  const rates = tx.where(
    "tax_rate",
    (rate) =>
      (active === undefined || rate.active === active) && (inclusive === undefined || rate.inclusive === inclusive),
  );
  return listOf(rates, "/v1/tax_rates", params);
}

// The forms of plans and packs as the API takes them.
import { minorUnits } from "./amounts.ts";
import type { OfferForm } from "./offer-form.tsx";

const priceOf = ({ name, price, currency }: OfferForm) => ({
  ...{ name: name.trim(), amount: minorUnits(price, currency) ?? 0, currency: currency.toLowerCase() },
});

export const packBody = (form: OfferForm) => ({ ...priceOf(form), credits: form.credits });

export const planBody = (form: OfferForm) => ({
  ...priceOf(form),
  ...{ features: form.features, trial_days: form.trialDays === "" ? null : Number(form.trialDays) },
});

// What can be said of a plan or a pack in a form: name and price, and what each kind has besides.
import { NumberInput, Select, TagsInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { fieldError, otherError } from "../parts/error-note.tsx";
import type { Change } from "../parts/use-draft.ts";
import { minorUnits } from "./amounts.ts";
import type { Interval, Offer } from "./offer.ts";

export interface OfferForm {
  name: string;
  /** As typed: `12.50`. */
  price: string;
  currency: string;
  credits: number;
  interval: Interval;
  features: string[];
  trialDays: number | string;
}

export const NEW_OFFER: OfferForm = {
  ...{ name: "", price: "", currency: "usd", credits: 1000, interval: "month", features: [], trialDays: "" },
};

const FIELDS = ["name", "amount", "currency", "credits", "billing_interval", "features", "trial_days"];

export const otherOfferError = (error: unknown): unknown => otherError(error, FIELDS);

export const isPriced = ({ price, currency }: OfferForm): boolean => minorUnits(price, currency) !== undefined;

const INTERVALS = [
  { value: "day", label: "Day" },
  { value: "week", label: "Week" },
  { value: "month", label: "Month" },
  { value: "year", label: "Year" },
] as const;

export interface OfferFieldsProps {
  kind: Offer["kind"];
  /** Of one that is there, the interval stays as it is. */
  isNew: boolean;
  form: OfferForm;
  change: Change<OfferForm>;
  error: unknown;
}

export function OfferFields(props: OfferFieldsProps): ReactNode {
  const { kind, form, change, error } = props;
  return (
    <>
      <TextInput
        label="Name"
        description="Stands on Stripe’s pages."
        required
        data-autofocus
        maxLength={250}
        value={form.name}
        error={fieldError(error, "name")}
        onChange={({ currentTarget }) => change({ name: currentTarget.value })}
      />
      <div className="bh-price-fields">
        <TextInput
          label="Price"
          inputMode="decimal"
          placeholder="0.00"
          required
          value={form.price}
          error={form.price !== "" && !isPriced(form) ? "No amount" : fieldError(error, "amount")}
          onChange={({ currentTarget }) => change({ price: currentTarget.value })}
        />
        <TextInput
          label="Currency"
          required
          maxLength={3}
          value={form.currency}
          error={fieldError(error, "currency")}
          onChange={({ currentTarget }) => change({ currency: currentTarget.value })}
        />
      </div>
      {kind === "pack" ? <PackFields {...props} /> : <PlanFields {...props} />}
    </>
  );
}

function PackFields({ form, change, error }: OfferFieldsProps): ReactNode {
  return (
    <NumberInput
      label="Credits"
      description="What one pack brings."
      min={1}
      allowDecimal={false}
      thousandSeparator=","
      required
      value={form.credits}
      error={fieldError(error, "credits")}
      onChange={(value) => change({ credits: Number(value) })}
    />
  );
}

function PlanFields({ isNew, form, change, error }: OfferFieldsProps): ReactNode {
  return (
    <>
      {isNew && (
        <Select
          label="Billed every"
          data={INTERVALS}
          value={form.interval}
          allowDeselect={false}
          error={fieldError(error, "billing_interval")}
          onChange={(chosen) => {
            const interval = INTERVALS.find(({ value }) => value === chosen)?.value;
            if (interval !== undefined) change({ interval });
          }}
        />
      )}
      <NumberInput
        label="Trial"
        description="Left empty: none."
        suffix=" days"
        min={1}
        max={730}
        allowDecimal={false}
        value={form.trialDays}
        error={fieldError(error, "trial_days")}
        onChange={(trialDays) => change({ trialDays })}
      />
      <TagsInput
        label="Features"
        description="Enter after each: they stand beside the plan."
        value={form.features}
        maxTags={15}
        error={fieldError(error, "features")}
        onChange={(features) => change({ features })}
      />
    </>
  );
}

// Phases of schedules: from what the call says to what is kept, and what each means for the subscription.
import type Stripe from "stripe";
import { blankPart } from "../core/blank.ts";
import { invalidRequest } from "../core/errors.ts";
import { idOf } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import type { Transaction } from "../core/transaction.ts";
import { cycleStart } from "./billing-cycle.ts";
import { type ItemInput, recurrenceOf, recurringPrice, priceOf, taxRates } from "./subscription-item.ts";

type Phase = Stripe.SubscriptionSchedule.Phase;
/** `iterations` is of versions before 2025-09-30. */
export type PhaseInput = Omit<Stripe.SubscriptionScheduleUpdateParams.Phase, "coupon"> & {
  iterations?: number;
  coupon?: string;
};

/** The phases one after the other, from `start`. Each begins where the one before ends. */
export function phasesFrom(tx: Transaction, inputs: readonly PhaseInput[], start: number): Phase[] {
  const phases: Phase[] = [];
  for (const [place, input] of inputs.entries()) {
    const given = input.start_date === "now" ? tx.now : input.start_date;
    const start_date = phases.at(-1)?.end_date ?? given ?? start;
    phases.push(phaseOf(tx, input, start_date, `phases[${place}]`));
  }
  return phases;
}

function phaseOf(tx: Transaction, input: PhaseInput, start_date: number, param: string): Phase {
  const prices = input.items.map((item, place) => recurringPrice(tx, item as ItemInput, `${param}[items][${place}]`));
  const [first] = prices;
  if (first === undefined) throw invalidRequest("Each phase needs at least one item.", { param: `${param}[items]` });
  const end_date = endOf(tx, input, start_date, first);
  if (end_date <= start_date) {
    throw invalidRequest("The phase's `end_date` must be after its start.", { param: `${param}[end_date]` });
  }
  const trialEnd = input.trial === true ? end_date : input.trial_end === "now" ? tx.now : input.trial_end;
  return blankPart("subscription_schedule.phases", {
    ...termsOf(tx, input),
    currency: input.currency ?? first.currency,
    start_date,
    end_date,
    items: input.items.map((item, place) => itemOf(tx, item, prices[place])),
    add_invoice_items: (input.add_invoice_items ?? []).map((item, place) => {
      const price = priceOf(tx, item as ItemInput, `${param}[add_invoice_items][${place}]`).id;
      return blankPart("subscription_schedule.phases.add_invoice_items", {
        discounts: (item.discounts ?? []).map(discountOf),
        metadata: mergeMetadata({}, item.metadata),
        period: item.period ?? { end: { type: "min_item_period_end" }, start: { type: "max_item_period_start" } },
        price,
        quantity: item.quantity ?? 1,
      });
    }),
    trial_end: trialEnd ?? null,
  }) as unknown as Phase;
}

function termsOf(tx: Transaction, input: PhaseInput): Partial<Phase> {
  const coupon = input.coupon === undefined ? [] : [{ coupon: input.coupon }];
  const discounts = input.discounts === "" || input.discounts === null ? [] : (input.discounts ?? coupon);
  const { invoice_settings: settings, transfer_data: transfer } = input;
  return {
    application_fee_percent: input.application_fee_percent ?? null,
    billing_cycle_anchor: input.billing_cycle_anchor ?? null,
    collection_method: input.collection_method ?? null,
    default_payment_method: input.default_payment_method ?? null,
    default_tax_rates: taxRates(tx, input.default_tax_rates),
    description: input.description === undefined || input.description === "" ? null : input.description,
    discounts: discounts.map(discountOf),
    invoice_settings:
      settings === undefined
        ? null
        : (blankPart("subscription_schedule.phases.invoice_settings", { ...settings }) as unknown as NonNullable<
            Phase["invoice_settings"]
          >),
    metadata: mergeMetadata({}, input.metadata),
    on_behalf_of: input.on_behalf_of ?? null,
    proration_behavior: input.proration_behavior ?? "create_prorations",
    transfer_data: transfer === undefined ? null : { ...transfer, amount_percent: transfer.amount_percent ?? null },
  };
}

function discountOf({
  coupon,
  discount,
  promotion_code,
}: {
  coupon?: string;
  discount?: string;
  promotion_code?: string;
}) {
  return { coupon: coupon ?? null, discount: discount ?? null, promotion_code: promotion_code ?? null };
}

/** An end, a duration, or so many cycles of the first price; one cycle when nothing is said. */
function endOf(tx: Transaction, input: PhaseInput, start: number, price: Stripe.Price): number {
  if (input.end_date !== undefined) return input.end_date === "now" ? tx.now : input.end_date;
  if (input.duration !== undefined) {
    const { interval, interval_count = 1 } = input.duration;
    return cycleStart(start, { interval, interval_count }, 1);
  }
  return cycleStart(start, recurrenceOf(price), input.iterations ?? 1);
}

function itemOf(
  tx: Transaction,
  input: PhaseInput["items"][number],
  price: Stripe.Price | undefined,
): Phase["items"][number] {
  const id = price?.id ?? "";
  const metered = price?.recurring?.usage_type === "metered";
  return blankPart("subscription_schedule.phases.items", {
    discounts: input.discounts === "" || input.discounts === null ? [] : (input.discounts ?? []).map(discountOf),
    metadata: mergeMetadata({}, input.metadata),
    plan: id,
    price: id,
    quantity: metered ? undefined : (input.quantity ?? 1),
    tax_rates: taxRates(tx, input.tax_rates),
  }) as unknown as Phase["items"][number];
}

/** The phase that a subscription is in already, when a schedule is made from it. */
export function phaseFromSubscription(subscription: Stripe.Subscription): Phase {
  const items = subscription.items.data;
  return blankPart("subscription_schedule.phases", {
    application_fee_percent: subscription.application_fee_percent,
    collection_method: subscription.collection_method,
    currency: subscription.currency,
    default_payment_method: idOf(subscription.default_payment_method),
    default_tax_rates: subscription.default_tax_rates ?? [],
    description: subscription.description,
    discounts: subscription.discounts.map((discount) => discountOf({ discount: idOf(discount) ?? "" })),
    end_date: Math.max(...items.map(({ current_period_end }) => current_period_end)),
    items: items.map((item) =>
      blankPart("subscription_schedule.phases.items", {
        metadata: item.metadata,
        plan: item.price.id,
        price: item.price.id,
        quantity: item.quantity,
        tax_rates: item.tax_rates ?? [],
      }),
    ),
    metadata: subscription.metadata,
    on_behalf_of: idOf(subscription.on_behalf_of),
    proration_behavior: "create_prorations",
    start_date: Math.min(...items.map(({ current_period_start }) => current_period_start)),
    transfer_data: subscription.transfer_data,
    trial_end: subscription.trial_end,
  }) as unknown as Phase;
}

/** What create and update of a subscription take to be as the phase says. */
export function paramsOfPhase(
  { default_settings: defaults }: Stripe.SubscriptionSchedule,
  phase: Phase,
): Omit<Stripe.SubscriptionCreateParams, "items"> {
  const method = idOf(phase.default_payment_method) ?? idOf(defaults.default_payment_method);
  const fee = phase.application_fee_percent ?? defaults.application_fee_percent;
  const collection_method = phase.collection_method ?? defaults.collection_method;
  const days = phase.invoice_settings?.days_until_due ?? defaults.invoice_settings.days_until_due;
  const description = phase.description ?? defaults.description;
  const transfer = phase.transfer_data ?? defaults.transfer_data;
  const onBehalfOf = idOf(phase.on_behalf_of) ?? idOf(defaults.on_behalf_of);
  return {
    ...(method === null ? {} : { default_payment_method: method }),
    ...(fee === null ? {} : { application_fee_percent: fee }),
    ...(collection_method === null ? {} : { collection_method }),
    ...(collection_method === "send_invoice" && days !== null ? { days_until_due: days } : {}),
    ...(description === null ? {} : { description }),
    ...(transfer === null ? {} : { transfer_data: transferParams(transfer) }),
    ...(onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf }),
    ...(phase.discounts.length === 0 ? {} : { discounts: phase.discounts.map(discountParams) }),
    ...(phase.metadata === null ? {} : { metadata: phase.metadata }),
    proration_behavior: phase.proration_behavior,
    default_tax_rates: (phase.default_tax_rates ?? []).map(({ id }) => id),
    add_invoice_items: phase.add_invoice_items.map(({ price, quantity }) => {
      return { price: idOf(price) ?? "", ...(quantity === null ? {} : { quantity }) };
    }),
  };
}

function transferParams({ destination, amount_percent }: NonNullable<Phase["transfer_data"]>) {
  return { destination: idOf(destination) ?? "", ...(amount_percent === null ? {} : { amount_percent }) };
}

function discountParams({ coupon, discount, promotion_code }: Phase["discounts"][number]): {
  coupon?: string;
  discount?: string;
  promotion_code?: string;
} {
  const [ofCoupon, ofDiscount, ofCode] = [idOf(coupon), idOf(discount), idOf(promotion_code)];
  if (ofDiscount !== null) return { discount: ofDiscount };
  return ofCode === null ? { coupon: ofCoupon ?? "" } : { promotion_code: ofCode };
}

/** The phase's items as a new subscription takes them. */
export function newItemsOf(phase: Phase): Stripe.SubscriptionCreateParams.Item[] {
  return phase.items.map(({ price, quantity, metadata, tax_rates }) => ({
    price: idOf(price) ?? "",
    ...(quantity === undefined ? {} : { quantity }),
    ...(metadata === null ? {} : { metadata }),
    ...(tax_rates === null || tax_rates === undefined ? {} : { tax_rates: tax_rates.map(({ id }) => id) }),
  }));
}

/** The same for a subscription that has items: those of the same price stay, others go. */
export function changedItemsOf(
  phase: Phase,
  subscription: Stripe.Subscription,
): Stripe.SubscriptionUpdateParams.Item[] {
  const wanted = newItemsOf(phase);
  const free = [...wanted];
  const kept = subscription.items.data.map(({ id, price }) => {
    const place = free.findIndex((item) => item.price === price.id);
    return place === -1 ? { id, deleted: true } : { id, ...free.splice(place, 1)[0] };
  });
  return [...kept, ...free];
}

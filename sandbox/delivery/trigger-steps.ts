// What a trigger's steps are: calls of the API that name what earlier calls made. The groups that many triggers begin with.

export interface Step {
  /** What later steps call its answer: `$customer`, or a field of it: `$intent.latest_charge`. */
  name: string;
  /** "POST /v1/customers/$customer" */
  call: string;
  given: Readonly<Record<string, unknown>>;
  /** Made for the connected account of an earlier step. */
  account?: string;
  /** A decline is what is wanted of it. */
  declines?: true;
}

type Options = Pick<Step, "account" | "declines">;

export function step(name: string, call: string, given: Step["given"] = {}, options: Options = {}): Step {
  return { name, call, given, ...options };
}

const NOTE = "Made by a trigger of the sandbox";
const METADATA = { metadata: { triggered: "true" } };

export const customer = step("customer", "POST /v1/customers", { description: NOTE, email: "triggered@example.com" });
export const touched = (name: string, path: string): Step => step(`${name}_later`, `POST ${path}/$${name}`, METADATA);
export const gone = (name: string, path: string): Step => step(`${name}_gone`, `DELETE ${path}/$${name}`);

/** A customer who pays with that test card by himself. */
export function payer(card = "pm_card_visa"): Step[] {
  return [
    customer,
    step("method", `POST /v1/payment_methods/${card}/attach`, { customer: "$customer" }),
    step("payer", "POST /v1/customers/$customer", { invoice_settings: { default_payment_method: "$method" } }),
  ];
}

export function intent(card: string, more: Step["given"] = {}, options: Options = {}): Step {
  const given = {
    amount: 2000,
    currency: "usd",
    confirm: true,
    description: NOTE,
    payment_method: card,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    ...more,
  };
  return step("intent", "POST /v1/payment_intents", given, options);
}

export const product = step("product", "POST /v1/products", { name: NOTE });
export const price = step("price", "POST /v1/prices", {
  currency: "usd",
  unit_amount: 1500,
  recurring: { interval: "month" },
  product_data: { name: NOTE },
});
export const plan = step("plan", "POST /v1/plans", {
  amount: 1500,
  currency: "usd",
  interval: "month",
  product: { name: NOTE },
});
export const coupon = step("coupon", "POST /v1/coupons", { percent_off: 10, duration: "once" });
export const promotion = [
  coupon,
  step("promotion", "POST /v1/promotion_codes", { promotion: { type: "coupon", coupon: "$coupon" } }),
];
export const taxRate = step("rate", "POST /v1/tax_rates", { display_name: "VAT", percentage: 19, inclusive: false });

export function subscription(more: Step["given"] = {}, card?: string): Step[] {
  const given = { customer: "$customer", items: [{ price: "$price" }], ...more };
  return [...payer(card), price, step("subscription", "POST /v1/subscriptions", given)];
}

/** A draft with one line. */
export function draft(card?: string, more: Step["given"] = {}): Step[] {
  return [
    ...payer(card),
    step("invoice", "POST /v1/invoices", { customer: "$customer", auto_advance: false, ...more }),
    step("item", "POST /v1/invoiceitems", {
      customer: "$customer",
      invoice: "$invoice",
      amount: 2000,
      currency: "usd",
      description: NOTE,
    }),
  ];
}

export const finalized = (card?: string, more?: Step["given"]): Step[] => [
  ...draft(card, more),
  step("final", "POST /v1/invoices/$invoice/finalize"),
];
export const pays = (options: Options = {}): Step => step("paid", "POST /v1/invoices/$invoice/pay", {}, options);
export const paid = [...finalized(), pays()];

export function checkout(more: Step["given"] = {}): Step {
  return step("session", "POST /v1/checkout/sessions", {
    mode: "payment",
    success_url: "https://example.com/success",
    line_items: [
      { quantity: 1, price_data: { currency: "usd", unit_amount: 1500, product_data: { name: "Triggered" } } },
    ],
    ...more,
  });
}

export const account = step("account", "POST /v1/accounts", {
  type: "custom",
  country: "US",
  email: "triggered@example.com",
  capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
});
/** Money that can be paid out at once. */
export const funds = intent("pm_card_bypassPending", { amount: 100_000 });

export const setup = (card: string, options: Options = {}): Step =>
  step(
    "setup",
    "POST /v1/setup_intents",
    { confirm: true, payment_method: card, automatic_payment_methods: { enabled: true, allow_redirects: "never" } },
    options,
  );

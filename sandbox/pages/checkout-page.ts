// The pages of checkout: paying, and coming back to a session that has expired.
import type Stripe from "stripe";
import { confirmSession } from "../checkout/confirm.ts";
import type { Buyer } from "../checkout/session-draft.ts";
import { draftOf, keepDraft } from "../checkout/session-draft.ts";
import { applyPromotionCode, createSession, fullAddress, openSession, repriced } from "../checkout/session.ts";
import { StripeFailure } from "../core/errors.ts";
import type { Transaction } from "../core/transaction.ts";
import { onceAcknowledged } from "./acknowledgement.ts";
import { methodOfForm } from "./card-form.ts";
import { checkoutPage, wantsMethod } from "./checkout-view.ts";
import { html, safeAddress } from "./html.ts";
import { notFound, notice, show } from "./layout.ts";
import { type Page, type PageRequest, type PageRoute, scopeWith } from "./page.ts";
import type { World } from "../core/world.ts";

type Session = Stripe.Checkout.Session;

export const checkoutPages: PageRoute[] = [
  { pattern: "GET /c/pay/*", answer: (world, page) => withSession(world, page, showSession) },
  {
    pattern: "POST /c/pay/*",
    answer: (world, page) => onceAcknowledged(world, page.ids[0] ?? "", withSession(world, page, act)),
  },
  { pattern: "GET /r/*", answer: recover },
];

type Answer = (tx: Transaction, session: Session, page: PageRequest) => Page;

/** What a failed call keeps is kept, and its message is shown with the form as it was typed. */
function withSession(world: World, page: PageRequest, answer: Answer): Page {
  const [id = ""] = page.ids;
  const scope = scopeWith(world, "checkout.session", id);
  if (scope === undefined) return notFound("checkout session");
  try {
    return world.run((tx) => answer(tx, tx.get("checkout.session", id), page), scope);
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    return world.run((tx) => {
      const session = tx.get("checkout.session", id);
      return session.status === "open"
        ? checkoutPage(tx, session, page.form, error.body.message, error.status)
        : ended(session);
    }, scope);
  }
}

function showSession(tx: Transaction, session: Session): Page {
  if (session.status !== "open") return ended(session);
  const { payment_intent, setup_intent } = draftOf(tx, session.id);
  const payment = payment_intent === null ? undefined : tx.find("payment_intent", payment_intent)?.last_payment_error;
  const setup = setup_intent === null ? undefined : tx.find("setup_intent", setup_intent)?.last_setup_error;
  return checkoutPage(tx, session, {}, payment?.message ?? setup?.message ?? undefined);
}

function ended(session: Session): Page {
  const words =
    session.status === "expired"
      ? "This checkout has expired. Nothing was charged."
      : session.payment_status === "unpaid"
        ? "This checkout is complete. The payment is on its way."
        : "This checkout is complete.";
  const next = safeAddress(session.status === "expired" ? session.cancel_url : successAddress(session));
  const recovery = safeAddress(session.after_expiration?.recovery?.url);
  return show(
    session.status === "expired" ? "Expired" : "Complete",
    html`${notice(words)} ${session.mode !== "setup" && html`<p class="soft">${session.id}</p>`}
    ${next !== undefined && html`<p><a class="button" href="${next}">Back to the shop</a></p>`}
    ${recovery !== undefined && html`<p><a class="button" href="${recovery}">Start again</a></p>`}`,
  );
}

/** Where the buyer goes after the end. `{CHECKOUT_SESSION_ID}` is filled in, as Stripe does. */
export function successAddress(session: Session): string | undefined {
  const address = session.success_url ?? (session.redirect_on_completion === "never" ? undefined : session.return_url);
  return safeAddress(address)?.replaceAll("{CHECKOUT_SESSION_ID}", session.id);
}

export function afterSession(tx: Transaction, id: string): Page {
  const session = tx.get("checkout.session", id);
  if (session.status === "open") return { redirect: `/c/pay/${id}` };
  const next = session.status === "complete" ? successAddress(session) : undefined;
  return next === undefined ? ended(session) : { redirect: next };
}

const ACTIONS: Readonly<Record<string, Answer>> = {
  pay: attempt,
  promotion: (tx, { id }, { form }) => {
    applyPromotionCode(tx, id, (form.code ?? "").trim());
    return { redirect: `/c/pay/${id}` };
  },
  quantities: (tx, { id }, { form }) => {
    const session = openSession(tx, id, "updated");
    const draft = draftOf(tx, id);
    const lines = draft.lines.map((line) => {
      const wanted = Number(form[`quantity_${line.id}`]);
      const { enabled = false, minimum, maximum } = line.adjustable_quantity ?? {};
      if (!enabled || !Number.isInteger(wanted)) return line;
      return { ...line, quantity: Math.min(Math.max(wanted, minimum ?? 0), maximum ?? 99) };
    });
    repriced(tx, session, { ...draft, lines });
    return { redirect: `/c/pay/${id}` };
  },
  shipping: (tx, { id }, { form }) => {
    return checkoutPage(tx, repriced(tx, openSession(tx, id, "updated"), draftOf(tx, id), form.shipping_rate), form);
  },
};

function act(tx: Transaction, session: Session, page: PageRequest): Page {
  const action = ACTIONS[page.form.action ?? "pay"];
  return action === undefined ? checkoutPage(tx, session, page.form) : action(tx, session, page);
}

function attempt(tx: Transaction, given: Session, { form }: PageRequest): Page {
  if (given.status !== "open") return ended(given);
  const session =
    form.shipping_rate === undefined ? given : repriced(tx, given, draftOf(tx, given.id), form.shipping_rate);
  const email = given.customer_email ?? (form.email?.trim() === "" ? null : (form.email?.trim() ?? null));
  const missing = missingPart(session, form, email);
  if (missing !== undefined) return checkoutPage(tx, session, form, missing, 400);
  const method = wantsMethod(session) ? methodOfForm(tx, form, email) : undefined;
  const outcome = confirmSession(tx, session.id, { payment_method: method?.id, buyer: buyerOf(session, form, email) });
  if (outcome.kind === "declined") {
    const now = tx.get("checkout.session", session.id);
    return checkoutPage(tx, now, form, outcome.failure.body.message, 402);
  }
  if (outcome.kind === "action") return { redirect: `/3ds/${outcome.intent}` };
  return afterSession(tx, session.id);
}

/** The browser asks for these too; a script that posts the form may not. */
function missingPart(session: Session, form: PageRequest["form"], email: string | null): string | undefined {
  if (email === null && (session.customer_details?.email ?? null) === null) return "Write your e-mail address.";
  if (session.consent_collection?.terms_of_service === "required" && form.terms !== "yes")
    return "Accept the terms of service.";
  const field = session.custom_fields.find(({ key, optional }) => !optional && (form[`custom_${key}`] ?? "") === "");
  return field === undefined ? undefined : `Fill in ${field.label.custom ?? field.key}.`;
}

function buyerOf(session: Session, form: PageRequest["form"], email: string | null): Partial<Buyer> {
  const text = (name: string): string | null =>
    form[name] === undefined || form[name].trim() === "" ? null : form[name].trim();
  const line1 = text("shipping_line1");
  const tax = text("tax_id");
  return {
    ...(email === null ? {} : { email }),
    ...(text("name") === null ? {} : { name: text("name") }),
    ...(text("phone") === null ? {} : { phone: text("phone") }),
    address: fullAddress({
      line1: text("line1"),
      city: text("city"),
      country: text("country"),
      postal_code: text("postal_code"),
    }),
    shipping:
      line1 === null
        ? null
        : {
            name: text("shipping_name") ?? "",
            address: fullAddress({
              line1,
              city: text("shipping_city"),
              postal_code: text("shipping_postal_code"),
              country: text("shipping_country"),
            }),
          },
    tax_id: tax === null ? null : { type: form.tax_id_type ?? "eu_vat", value: tax },
    custom_fields: Object.fromEntries(session.custom_fields.map(({ key }) => [key, form[`custom_${key}`] ?? ""])),
    promotions: form.promotions === "yes",
    terms: form.terms === "yes",
  };
}

/** A new session like the expired one, as Stripe's recovery address makes it. */
function recover(world: World, { ids: [id = ""] }: PageRequest): Page {
  const scope = scopeWith(world, "checkout.session", id);
  if (scope === undefined) return notFound("checkout session");
  return world.run((tx) => {
    const session = tx.get("checkout.session", id);
    const recovery = session.after_expiration?.recovery;
    if (recovery === null || recovery === undefined || (recovery.expires_at ?? 0) < tx.now)
      return notFound("checkout to recover");
    const draft = draftOf(tx, id);
    const { expires_at: _expired, ...given } = draft.given;
    const next = createSession(tx, given, { recovered_from: id });
    if (recovery.allow_promotion_codes && (next.discounts ?? []).length === 0) {
      tx.put("checkout.session", { ...next, allow_promotion_codes: true });
    }
    keepDraft(tx, { ...draftOf(tx, next.id), customer: draft.customer });
    return { redirect: `/c/pay/${next.id}` };
  }, scope);
}

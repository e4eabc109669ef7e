// The card form where the sandbox stands in for Stripe: test cards alone, confirmed as Stripe's own script would.
"use client";
import { type SyntheticEvent, type ReactNode, useState } from "react";

import { type CardFormProps, intentOf, type Submission } from "./begun-payment.ts";

const TEST_CARDS: readonly (readonly [number: string, does: string])[] = [
  ["4242 4242 4242 4242", "succeeds"],
  ["4000 0025 0000 3155", "asks the bank (3-D Secure)"],
  ["4000 0000 0000 0002", "is declined"],
  ["4000 0000 0000 9995", "has insufficient funds"],
];

interface Props extends CardFormProps {
  sandboxUrl: string;
}

export function SandboxCardForm({ payment, returnUrl, submitLabel, isBusy, submit, sandboxUrl }: Props): ReactNode {
  const [card, setCard] = useState({ number: TEST_CARDS[0]?.[0] ?? "", expiry: "12 / 34", cvc: "123" });
  const submitted = (event: SyntheticEvent): void => {
    event.preventDefault();
    submit(() => confirmCard({ payment, returnUrl, sandboxUrl }, card));
  };
  const field = (name: keyof typeof card, label: string): ReactNode => (
    <label>
      {label}
      <input
        name={name}
        value={card[name]}
        inputMode="numeric"
        autoComplete="off"
        required
        onChange={({ target }) => setCard({ ...card, [name]: target.value })}
      />
    </label>
  );
  return (
    <form onSubmit={submitted} aria-label="Test card">
      <p>
        <strong>Sandbox.</strong> No money moves: pay with a test card.
      </p>
      <label>
        Test card
        <select value={card.number} onChange={({ target }) => setCard({ ...card, number: target.value })}>
          {TEST_CARDS.map(([number, does]) => (
            <option key={number} value={number}>
              {number} – {does}
            </option>
          ))}
          {!TEST_CARDS.some(([number]) => number === card.number) && <option value={card.number}>another</option>}
        </select>
      </label>
      {field("number", "Card number")}
      {field("expiry", "Expiry (MM / YY)")}
      {field("cvc", "Security code")}
      <button type="submit" disabled={isBusy}>
        {submitLabel}
      </button>
    </form>
  );
}

interface Answer {
  id: string;
  next_action?: { redirect_to_url?: { url?: string } } | null;
}

type Target = Pick<Props, "payment" | "returnUrl" | "sandboxUrl">;

/** The card becomes a payment method, with which the intent is confirmed. */
async function confirmCard(target: Target, card: { number: string; expiry: string; cvc: string }): Promise<Submission> {
  const { payment, returnUrl: return_url } = target;
  const { kind, id } = intentOf(payment.client_secret);
  const [month = "", year = ""] = card.expiry.split("/").map((part) => part.trim());
  try {
    const method = await post(target, "payment_methods", {
      type: "card",
      "card[number]": card.number.replaceAll(/\s/g, ""),
      "card[exp_month]": month,
      "card[exp_year]": year.length === 2 ? `20${year}` : year,
      "card[cvc]": card.cvc,
    });
    const { client_secret } = payment;
    const confirmation = { client_secret, return_url, payment_method: method.id };
    const { next_action: next } = await post(target, `${kind}_intents/${id}/confirm`, confirmation);
    const bank = next?.redirect_to_url?.url;
    if (bank === undefined) return { outcome: "done" };
    location.assign(bank);
    return { outcome: "left" };
  } catch (error) {
    if (error instanceof Refused) return { outcome: "failed", message: error.message };
    throw error;
  }
}

class Refused extends Error {}

/** A plain form, with the key in it: a browser sends it to another origin without asking first. */
async function post({ payment, sandboxUrl }: Target, path: string, fields: Record<string, string>): Promise<Answer> {
  const { publishable_key: key, stripe_account: account } = payment;
  const own = { key: key ?? "", ...(account === null || account === undefined ? {} : { _stripe_account: account }) };
  const body = new URLSearchParams({ ...own, ...fields });
  const response = await fetch(`${sandboxUrl}/v1/${path}`, { method: "POST", body });
  const answer = (await response.json()) as Answer & { error?: { message?: string } };
  if (!response.ok) throw new Refused(answer.error?.message ?? "The card was refused: try another one.");
  return answer;
}

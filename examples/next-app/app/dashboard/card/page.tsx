// Keeps a card for later: the payment form with a setup, and the way back from the buyer's bank.
"use client";
import { type components, keptStatusUrl } from "billhook/client";
import { PaymentForm, useBillhook, usePaymentStatus } from "billhook/react";
import { useState } from "react";

import { useQuery } from "../../query.ts";

type Setup = components["schemas"]["PaymentMethodSetup"];

export default function Card() {
  const client = useBillhook();
  const [setup, setSetup] = useState<Setup>();
  const [problem, setProblem] = useState<string>();
  // The bank leads back to this page, and names the setup.
  const returned = usePaymentStatus(keptStatusUrl(useQuery().get("setup_intent")));
  const begin = (): void => {
    client.post("/account/payment-method/").then(setSetup, (error: unknown) => {
      setProblem(error instanceof Error ? error.message : String(error));
    });
  };
  const secret = setup?.client_secret ?? null;
  return (
    <>
      <h1>Card</h1>
      {returned.state !== "idle" && <p role="status">The bank's answer: {returned.state}.</p>}
      {problem !== undefined && <p role="alert">{problem}</p>}
      {setup === undefined || secret === null ? (
        <button type="button" onClick={begin}>
          Add a card
        </button>
      ) : (
        <PaymentForm
          payment={{ ...setup, client_secret: secret }}
          returnUrl={location.origin + location.pathname}
          submitLabel="Save the card"
          words={{
            pending: "The card is being checked…",
            succeeded: "The card is saved.",
            failed: "The card was refused.",
          }}
        />
      )}
    </>
  );
}

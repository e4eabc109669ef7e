// Where Checkout leads back to: shows the payment until its end, and the new balance.
"use client";
import { keptStatusUrl } from "billhook/client";
import { useBillhook, usePaymentStatus } from "billhook/react";

import { useQuery } from "../../../query.ts";

export default function Return() {
  const { baseUrl } = useBillhook();
  const id = useQuery().get("session_id");
  // Begun in another tab: then the visitor's own token may ask for it.
  const statusUrl = keptStatusUrl(id) ?? (id === null ? null : `${baseUrl}/api/v1/status/${id}/`);
  const { state, status, problem, again } = usePaymentStatus(statusUrl, { returned: true });
  return (
    <>
      <h1>Your purchase</h1>
      <p role="status" data-state={state}>
        {state === "idle" && "There is no purchase in this address."}
        {state === "pending" && "We are waiting for your payment…"}
        {state === "action_required" && "Your bank asks you to confirm the payment."}
        {state === "failed" && `The payment failed. ${status?.failure?.message ?? ""}`}
        {state === "expired" && "The checkout was not finished in time."}
        {state === "canceled" && "The payment was canceled."}
        {state === "offline" && `We cannot tell at the moment. ${problem?.message ?? ""}`}
        {state === "succeeded" && (
          <>
            <strong>{status?.result.credits_added}</strong> credits were added. You have{" "}
            <output aria-label="Balance">{status?.result.credit_balance}</output> now.
          </>
        )}
      </p>
      {(state === "failed" || state === "offline") && (
        <button type="button" onClick={again}>
          Ask again
        </button>
      )}
      <p>
        <a href="/dashboard/credits">Back</a>
      </p>
    </>
  );
}

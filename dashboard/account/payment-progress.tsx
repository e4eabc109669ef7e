// How a payment goes on, live, on the page that Stripe leads back to: one line that changes, and what to do next.
import { Button, Loader } from "@mantine/core";
import type { ReactNode } from "react";

import type { PaymentState, PaymentStatus } from "../../kit/client/client.ts";
import { BillhookProvider, usePaymentStatus } from "../../kit/react/react.ts";
import { useOwnApi } from "../frame/hooks.ts";
import { IdText } from "../parts/id-text.tsx";
import { KeyValue } from "../parts/page-frame.tsx";
import { StatusDot, type Tone } from "../parts/status-dot.tsx";
import { statusUrlOf } from "./own-reads.ts";

import "./account.css";

export type Sentences = Partial<Record<PaymentState, string>>;

export interface PaymentProgressProps {
  /** `cs_…` or `seti_…`, of the address. */
  id: string | null;
  /** In the page's own words. */
  says: Sentences;
  /** What has come of it, below the sentence. */
  succeeded: (status: PaymentStatus) => ReactNode;
  /** Links on. */
  children: ReactNode;
  /** In their place where nothing came of it: the way to another try. */
  again?: ReactNode;
}

const SAYS: Record<PaymentState, string> = {
  idle: "This address names no payment. Begin again from the page before it.",
  pending: "Waiting for the payment to be confirmed. This page changes by itself.",
  action_required: "Your bank asks you to confirm the payment. Go back to the checkout and do so.",
  failed: "The payment did not go through. No money was taken: try again with another card.",
  succeeded: "The payment has arrived.",
  expired: "The checkout was not finished in time, and nothing was taken. Begin again.",
  canceled: "The payment was canceled, and nothing was taken.",
  offline: "The server cannot be asked at the moment. This page goes on by itself.",
};

const WORDS: Record<PaymentState, [word: string, tone: Tone]> = {
  idle: ["Nothing to show", "quiet"],
  pending: ["Waiting", "busy"],
  action_required: ["Your bank asks", "warn"],
  failed: ["Failed", "bad"],
  succeeded: ["Paid", "good"],
  expired: ["Expired", "quiet"],
  canceled: ["Canceled", "quiet"],
  offline: ["No connection", "warn"],
};

const NOTHING_CAME = new Set<PaymentState>(["idle", "failed", "expired", "canceled"]);

export function PaymentProgressCard(props: PaymentProgressProps): ReactNode {
  return (
    <BillhookProvider client={useOwnApi()}>
      <Followed {...props} />
    </BillhookProvider>
  );
}

function Followed({ id, says, succeeded, children, again = children }: PaymentProgressProps): ReactNode {
  const { state, status, again: askAgain } = usePaymentStatus(statusUrlOf(id), { returned: true });
  const [word, tone] = WORDS[state];
  const failure = status?.failure?.message;
  return (
    <section className="bh-progress" aria-label="Payment" data-state={state}>
      <div className="bh-progress-head">
        <StatusDot status={state} label={word} tone={tone} />
        {state === "pending" && <Loader size={14} aria-hidden />}
      </div>
      <p role="status">{says[state] ?? SAYS[state]}</p>
      {state !== "succeeded" && failure !== undefined && <p>{failure}</p>}
      <div className="bh-progress-result">
        {state === "succeeded" && status !== null && succeeded(status)}
        {id !== null && <KeyValue facts={[["Payment", <IdText key="id" id={id} />]]} />}
      </div>
      <div className="bh-row">
        {NOTHING_CAME.has(state) ? again : children}
        {(state === "failed" || state === "offline") && (
          <Button variant="default" onClick={askAgain}>
            Ask again
          </Button>
        )}
      </div>
    </section>
  );
}

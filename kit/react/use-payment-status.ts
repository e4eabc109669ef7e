// How a payment stands, as a component's state: told by Billhook as it changes, without a reload.
"use client";
import { useCallback, useEffect, useState } from "react";

import { followPayment, type PaymentProgress } from "../client/payment-status.ts";
import { useMaybeBillhook } from "./billhook-provider.tsx";

export interface FollowedPayment extends PaymentProgress {
  /** Follow it again: after `failed`, when it has been tried again, or to ask at once while it is offline. */
  again: () => void;
}

interface Followed {
  url: string;
  round: number;
  progress: PaymentProgress;
}

const IDLE: PaymentProgress = { state: "idle", status: null, problem: null };
const PENDING: PaymentProgress = { state: "pending", status: null, problem: null };

/**
 * `statusUrl` as an answer of Billhook has it, with its token or, below a `BillhookProvider`, without; null or undefined:
 * there is nothing to follow yet, and the state is `idle`. `returned`: on the page that Stripe's Checkout leads back to.
 */
export function usePaymentStatus(
  statusUrl: string | null | undefined,
  { returned = false }: { returned?: boolean } = {},
): FollowedPayment {
  const tokens = useMaybeBillhook()?.tokens;
  const [round, setRound] = useState(0);
  const [followed, setFollowed] = useState<Followed>();
  const url = statusUrl ?? undefined;
  useEffect(() => {
    if (url === undefined) return undefined;
    return followPayment(url, { tokens, returned, told: (progress) => setFollowed({ url, round, progress }) });
  }, [url, tokens, returned, round]);
  const again = useCallback(() => setRound((before) => before + 1), []);
  if (url === undefined) return { ...IDLE, again };
  // What was told of another payment, or before it was tried again, is not how this one stands.
  const isCurrent = followed?.url === url && followed.round === round;
  return { ...(isCurrent ? followed.progress : PENDING), again };
}

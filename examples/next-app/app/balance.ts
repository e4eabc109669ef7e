// The visitor's credits, read once.
"use client";
import { useBillhook } from "billhook/react";
import { useEffect, useState } from "react";

/** Undefined: not known yet. */
export function useBalance(): number | undefined {
  const client = useBillhook();
  const [balance, setBalance] = useState<number>();
  useEffect(() => {
    client.get("/account/").then(
      (account) => setBalance(account.credit_balance),
      (error: unknown) => console.error(error),
    );
  }, [client]);
  return balance;
}

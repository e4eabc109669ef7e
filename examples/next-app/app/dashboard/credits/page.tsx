// The balance, and what can be bought.
"use client";
import { CreditPacks } from "billhook/react";

import { useBalance } from "../../balance.ts";

export default function Credits() {
  const balance = useBalance();
  return (
    <>
      <h1>Credits</h1>
      <p>
        You have <output aria-label="Balance">{balance ?? "…"}</output> credits.
      </p>
      <CreditPacks />
    </>
  );
}

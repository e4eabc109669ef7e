// What all pages share: the client of Billhook, which asks this app's own server who the visitor is.
"use client";
import { billhook, type FreshToken } from "billhook/client";
import { BillhookProvider } from "billhook/react";
import type { ReactNode } from "react";

const client = billhook({
  baseUrl: process.env.NEXT_PUBLIC_BILLHOOK_URL ?? "http://localhost:8000",
  token: async () => {
    const response = await fetch("/api/billing-session", { method: "POST" });
    if (!response.ok) throw new Error(`no session: ${response.status}`);
    return (await response.json()) as FreshToken;
  },
});

export default function Template({ children }: { children: ReactNode }): ReactNode {
  return (
    <BillhookProvider client={client}>
      <nav>
        <a href="/dashboard/credits">Credits</a> · <a href="/dashboard/card">Card</a>
      </nav>
      <main>{children}</main>
    </BillhookProvider>
  );
}

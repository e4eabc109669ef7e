// The client for all parts of the kit below it.
"use client";
import { createContext, type ReactNode, useContext } from "react";

import type { BillhookClient } from "../client/billhook-client.ts";

const Client = createContext<BillhookClient | undefined>(undefined);

/** Make the client once, outside of the component: each new one asks for its token anew. */
export function BillhookProvider({ client, children }: { client: BillhookClient; children: ReactNode }): ReactNode {
  return <Client.Provider value={client}>{children}</Client.Provider>;
}

export function useBillhook(): BillhookClient {
  const client = useContext(Client);
  if (client === undefined) throw new Error("Put <BillhookProvider client={billhook({ … })}> around this.");
  return client;
}

/** Undefined outside of a provider: a status_url has a token of its own. */
export const useMaybeBillhook = (): BillhookClient | undefined => useContext(Client);

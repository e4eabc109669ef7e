// The credit packs on sale, each with a button that leads to Stripe's Checkout.
"use client";
import { type ReactNode, useEffect, useState } from "react";

import type { BillhookClient } from "../client/billhook-client.ts";
import { BillhookError } from "../client/billhook-error.ts";
import { keepStatusUrl } from "../client/return-visit.ts";
import type { components } from "../generated/api.ts";
import { useBillhook } from "./billhook-provider.tsx";
import { money } from "./money.ts";

export type CreditPack = components["schemas"]["SoldPack"];

export interface CreditPacksProps {
  quantity?: number | undefined;
  /** Instead of a heading, the price and a button. `buy` leads away from the page. */
  children?: ((pack: CreditPack, buy: () => void, isBusy: boolean) => ReactNode) | undefined;
  /** Where the buyer goes to pay; `location.assign` unless it is set. */
  leave?: ((checkoutUrl: string) => void) | undefined;
  buyLabel?: string | undefined;
  className?: string | undefined;
}

/**
 * Below a `BillhookProvider`. The status_url of what is bought is kept in this tab: on the page that Stripe leads back to,
 * `keptStatusUrl(session_id)` gives it to `usePaymentStatus`.
 */
export function CreditPacks({ children, buyLabel = "Buy", className, ...purchase }: CreditPacksProps): ReactNode {
  const client = useBillhook();
  const { packs, problem: unread } = usePacks(client);
  const { buy, busy, problem: unsold } = usePurchase(client, purchase);
  const problem = unread ?? unsold;
  const isFirst = packs === undefined && problem === undefined;
  return (
    <div className={className ?? "billhook-packs"} aria-busy={isFirst || busy !== undefined}>
      {problem !== undefined && <p role="alert">{problem.message}</p>}
      {packs?.length === 0 && <p>There is nothing on sale at the moment.</p>}
      {packs !== undefined && packs.length > 0 && (
        <ul>
          {packs.map((pack) => (
            <li key={pack.id} data-pack={pack.id}>
              {children?.(pack, () => buy(pack), busy !== undefined) ?? (
                <>
                  <h3>{pack.name}</h3>
                  <p>
                    {pack.credits.toLocaleString()} credits · {money(pack.amount, pack.currency)}
                  </p>
                  <button type="button" disabled={busy !== undefined} onClick={() => buy(pack)}>
                    {buyLabel} <span className="billhook-hidden">{pack.name}</span>
                  </button>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function usePacks(client: BillhookClient): { packs?: CreditPack[]; problem?: BillhookError } {
  const [read, setRead] = useState<{ packs?: CreditPack[]; problem?: BillhookError }>({});
  useEffect(() => {
    let isThere = true;
    client.get("/account/credit-packs/").then(
      ({ data: packs }) => isThere && setRead({ packs }),
      (error: unknown) => isThere && setRead({ problem: asProblem(error) }),
    );
    return () => {
      isThere = false;
    };
  }, [client]);
  return read;
}

type Purchase = Pick<CreditPacksProps, "quantity" | "leave">;

function usePurchase(client: BillhookClient, { quantity, leave = goTo }: Purchase) {
  const [busy, setBusy] = useState<string>();
  const [problem, setProblem] = useState<BillhookError>();
  const failed = (why: BillhookError): void => {
    setBusy(undefined);
    setProblem(why);
  };
  const buy = (pack: CreditPack): void => {
    setBusy(pack.id);
    setProblem(undefined);
    const body = { price_id: pack.price_id, ...(quantity === undefined ? {} : { quantity }) };
    client.post("/account/purchase-credits/", { body }).then(
      ({ checkout_url, session_id, status_url }) => {
        keepStatusUrl(session_id, status_url);
        if (checkout_url !== null) leave(checkout_url);
        else
          failed(new BillhookError({ code: "not_found", status: 409, message: "That checkout has ended: buy again." }));
      },
      (error: unknown) => failed(asProblem(error)),
    );
  };
  useEffect(() => {
    // Back from Checkout by the browser's own button, the page may come as it was left.
    const returned = (): void => setBusy(undefined);
    addEventListener("pageshow", returned);
    return () => removeEventListener("pageshow", returned);
  }, []);
  return { buy, busy, problem };
}

const goTo = (url: string): void => location.assign(url);

function asProblem(error: unknown): BillhookError {
  if (error instanceof BillhookError) return error;
  return new BillhookError({ code: "unreachable", status: 0, message: "That did not work: try again.", cause: error });
}

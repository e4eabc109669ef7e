// The packs on sale, each with a button that leads to Stripe's Checkout.
import { Button, NumberInput, Skeleton } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { money } from "../../kit/react/money.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Figure } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { type Pack, useCheckout, usePacks } from "./own-reads.ts";

import "./account.css";

const MOST = 10_000;

export function CreditPackList(): ReactNode {
  const [quantity, setQuantity] = useState(1);
  const [chosen, setChosen] = useState<string>();
  const buy = useCheckout((own, { price_id }: Pack) =>
    own.post("/account/purchase-credits/", { body: { price_id, quantity } }),
  );
  // The browser is on its way to Stripe's page: the button stays busy until it is there.
  const isLeaving = buy.isPending || typeof buy.data?.checkout_url === "string";
  return (
    <Loaded of={usePacks()} waiting={<PacksOnTheirWay />}>
      {(packs) =>
        packs.length === 0 ? (
          <Empty title="Nothing is on sale">The platform has no active credit packs in this mode.</Empty>
        ) : (
          <div className="bh-stack">
            <ErrorNote error={buy.error} />
            <ul className="bh-packs">
              {packs.map((pack) => (
                <OnePack
                  key={pack.id}
                  pack={pack}
                  quantity={quantity}
                  isBusy={isLeaving && chosen === pack.id}
                  buy={() => {
                    setChosen(pack.id);
                    buy.mutate(pack);
                  }}
                />
              ))}
            </ul>
            <NumberInput
              label="How many packs"
              value={quantity}
              min={1}
              max={MOST}
              allowDecimal={false}
              clampBehavior="strict"
              w={140}
              onChange={(value) => setQuantity(typeof value === "number" && value >= 1 ? value : 1)}
            />
          </div>
        )
      }
    </Loaded>
  );
}

/** As high as one pack, which is as high as a row of them. */
function PacksOnTheirWay(): ReactNode {
  return (
    <div className="bh-stack" role="status" aria-label="Loading">
      <Skeleton height={116} />
      <Skeleton height={56} width={140} />
    </div>
  );
}

interface OnePackProps {
  pack: Pack;
  quantity: number;
  isBusy: boolean;
  buy: () => void;
}

function OnePack({ pack, quantity, isBusy, buy }: OnePackProps): ReactNode {
  const price = money(pack.amount * quantity, pack.currency, "en");
  return (
    <li>
      <h3>{pack.name}</h3>
      {/* Many packs are named by it. */}
      {(quantity > 1 || !pack.name.startsWith(pack.credits.toLocaleString("en"))) && (
        <Figure value={pack.credits * quantity} unit="credits" />
      )}
      <Button variant="default" px="xs" loading={isBusy} onClick={buy}>
        Purchase for {price}
        <span className="bh-hidden">: {pack.name}</span>
      </Button>
    </li>
  );
}

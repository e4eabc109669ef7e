// Automatic top-up: below which balance which pack is bought with the saved card.
import { Button, NumberInput, Select, Switch } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { components } from "../../kit/client/client.ts";
import { money } from "../../kit/react/money.ts";
import { useAct, useOwnApi, useRead } from "../frame/hooks.ts";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { type Pack, useOwnAccount, usePacks } from "./own-reads.ts";

type AutoTopUp = components["schemas"]["AutoTopUp"];

const FIELDS = ["threshold", "price_id", "quantity"];
/** A payment that has begun, or failed, is seen soon. */
const LOOK_MS = 5000;
const FIRST_THRESHOLD = 100;
/** As high as what stands there without a card. */
const LINES = 5;

export function TopUp(): ReactNode {
  const own = useOwnApi();
  const account = useOwnAccount();
  const packs = usePacks();
  const read = useRead(["account", "top-up"], (_api, signal) => own.get("/account/auto-top-up/", { signal }), {
    every: LOOK_MS,
  });
  return (
    <Loaded of={account} lines={LINES}>
      {({ default_payment_method: method }) => (
        <Loaded of={read} lines={LINES}>
          {(topUp) =>
            method === null && !topUp.enabled ? (
              <Empty title="There is no card to pay with">
                <PageLink to="/dashboard/payment-method">Add a payment method</PageLink> first: then credits can be
                bought by themselves when the balance falls.
              </Empty>
            ) : (
              <Loaded of={packs} lines={3}>
                {(sold) => <TopUpForm key={savedAs(topUp)} topUp={topUp} packs={sold} />}
              </Loaded>
            )
          }
        </Loaded>
      )}
    </Loaded>
  );
}

/** The form begins anew when other settings were saved, and not when a payment begins or fails. */
const savedAs = ({ enabled, threshold, price_id: price }: AutoTopUp): string =>
  JSON.stringify([enabled, threshold, price]);

function TopUpForm({ topUp, packs }: { topUp: AutoTopUp; packs: readonly Pack[] }): ReactNode {
  const own = useOwnApi();
  const [enabled, setEnabled] = useState(topUp.enabled);
  const [threshold, setThreshold] = useState(topUp.threshold ?? FIRST_THRESHOLD);
  const [price, setPrice] = useState(topUp.price_id ?? packs[0]?.price_id ?? null);
  const save = useAct(
    () =>
      own.patch("/account/auto-top-up/", {
        body: enabled ? { enabled, threshold, ...(price === null ? {} : { price_id: price }) } : { enabled },
      }),
    { done: ({ enabled: isOn }) => (isOn ? "Credits are bought by themselves from now on." : "Turned off.") },
  );
  return (
    <form
      className="bh-stack bh-narrow"
      aria-label="Automatic top-up"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(undefined);
      }}
    >
      <TopUpState topUp={topUp} />
      <Switch
        label="Buy credits when the balance falls"
        checked={enabled}
        onChange={({ currentTarget }) => setEnabled(currentTarget.checked)}
      />
      <NumberInput
        label="When it falls below"
        suffix=" credits"
        value={threshold}
        min={0}
        allowDecimal={false}
        disabled={!enabled}
        error={fieldError(save.error, "threshold")}
        onChange={(value) => setThreshold(Number(value))}
      />
      <Select
        label="Pack to buy"
        data={packs.map(({ price_id: value, name, amount, currency }) => ({
          value,
          label: `${name}, ${money(amount, currency, "en")}`,
        }))}
        value={price}
        allowDeselect={false}
        disabled={!enabled}
        error={fieldError(save.error, "price_id")}
        onChange={setPrice}
      />
      <ErrorNote error={otherError(save.error, FIELDS)} />
      <div>
        <Button type="submit" variant="default" loading={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function TopUpState({ topUp: { enabled, pending, failures, last_error: error } }: { topUp: AutoTopUp }): ReactNode {
  if (pending) return <StatusDot status="pending" label="On: a payment is under way" />;
  if (failures > 0)
    return <StatusDot status="failed" label={`The last payment failed${error === null ? "" : `: ${error}`}`} />;
  return <StatusDot status={enabled ? "enabled" : "inactive"} label={enabled ? "On" : "Off"} />;
}

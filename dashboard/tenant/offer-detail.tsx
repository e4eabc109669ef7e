// One plan or pack, whichever it is: its terms, how it stands at Stripe, and its changes.
import { Button } from "@mantine/core";
import type { UseMutationResult, UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import type { BillhookError } from "../../kit/client/client.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { KeyValue, PageHeader } from "../parts/page-frame.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { RelativeTime } from "../parts/relative-time.tsx";
import { majorText } from "./amounts.ts";
import { FormDialog } from "./form-dialog.tsx";
import { isPriced, NEW_OFFER, OfferFields, type OfferForm, otherOfferError } from "./offer-form.tsx";
import { OfferState } from "./offer-table.tsx";
import type { Offer } from "./offer.ts";
import { useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

type Act<In> = UseMutationResult<unknown, BillhookError, In>;

export interface OfferDetailProps {
  id: string;
  list: { label: string; to: string };
  offer: UseQueryResult<Offer, BillhookError>;
  save: Act<OfferForm>;
  /** On sale, or not any more. */
  sell: Act<boolean>;
}

export function OfferDetail({ id, list, offer, save, sell }: OfferDetailProps): ReactNode {
  const [open, setOpen] = useState<"edit" | "sell">();
  const isAdmin = useIsAdmin();
  const close = (): void => setOpen(undefined);
  const found = offer.data;
  return (
    <>
      <PageHeader
        title={found?.name ?? <IdText id={id} whole />}
        crumbs={[list]}
        beside={found !== undefined && <OfferState of={found} />}
        actions={
          isAdmin &&
          found !== undefined && (
            <>
              <Button variant="default" onClick={() => setOpen("sell")}>
                {found.isActive ? "Take off sale" : "Put on sale"}
              </Button>
              <Button onClick={() => setOpen("edit")}>Change</Button>
            </>
          )
        }
      />
      <Loaded of={offer} lines={9}>
        {(shown) => <Facts of={shown} />}
      </Loaded>
      {found !== undefined && open === "edit" && <Edit offer={found} save={save} close={close} />}
      {found !== undefined && open === "sell" && <Sell offer={found} sell={sell} close={close} />}
    </>
  );
}

function Facts({ of }: { of: Offer }): ReactNode {
  const { credits, every, trialDays, syncError } = of;
  return (
    <>
      {syncError !== null && (
        <p className="bh-notice" role="status">
          Stripe did not take it: {syncError.message} It is tried again.{" "}
          <span className="bh-mono">{syncError.code}</span>
        </p>
      )}
      <KeyValue
        facts={[
          ["Price", <MoneyText key="price" amount={of.amount} currency={of.currency} />],
          ["Credits", credits === null ? undefined : <Figure key="credits" value={credits} />],
          ["Billed", every ?? undefined],
          ["Trial", every === null ? undefined : trialDays === null ? "None" : `${trialDays} days`],
          ["Features", of.features.length === 0 ? undefined : of.features.join(", ")],
          ["Your own key", of.key ?? undefined],
          ["Id", <IdText key="id" id={of.id} whole />],
          [
            "Stripe’s price",
            of.priceId === null ? "On its way to Stripe" : <IdText key="stripe" id={of.priceId} whole />,
          ],
          ["Stripe’s product", of.productId === null ? null : <IdText key="product" id={of.productId} whole />],
          ["Made", <RelativeTime key="made" at={of.createdAt} />],
          ["Changed", <RelativeTime key="changed" at={of.updatedAt} />],
        ]}
      />
    </>
  );
}

function formOf({ name, amount, currency, credits, features, trialDays }: Offer): OfferForm {
  return {
    ...NEW_OFFER,
    ...{ name, currency, price: majorText(amount, currency), features: [...features], trialDays: trialDays ?? "" },
    ...(credits === null ? {} : { credits }),
  };
}

function Edit({ offer, save, close }: { offer: Offer; save: Act<OfferForm>; close: () => void }): ReactNode {
  const [form, change] = useDraft(() => formOf(offer));
  return (
    <FormDialog
      close={close}
      title={`Change ${offer.name}`}
      action="Save"
      disabled={!isPriced(form)}
      run={() => save.mutate(form, { onSuccess: close })}
      isPending={save.isPending}
      error={otherOfferError(save.error)}
    >
      <OfferFields kind={offer.kind} isNew={false} form={form} change={change} error={save.error} />
      <p className="bh-dim">
        {offer.kind === "plan"
          ? "A new price is for new subscriptions: those that run keep theirs."
          : "A new price holds from the next purchase on."}
      </p>
    </FormDialog>
  );
}

function Sell({ offer, sell, close }: { offer: Offer; sell: Act<boolean>; close: () => void }): ReactNode {
  const { isActive, name } = offer;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={isActive ? `Take ${name} off sale?` : `Put ${name} on sale?`}
      action={isActive ? "Take off sale" : "Put on sale"}
      dangerous={isActive}
      run={() => sell.mutate(!isActive, { onSuccess: close })}
      isPending={sell.isPending}
      error={sell.error}
    >
      {isActive ? "Nobody can buy it any more. What was bought stays." : "Customers can buy it again."}
    </ConfirmDialog>
  );
}

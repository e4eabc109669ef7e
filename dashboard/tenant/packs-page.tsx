// The tenant's credit packs, on sale or not, and the form that makes one.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList } from "../frame/hooks.ts";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { FormDialog } from "./form-dialog.tsx";
import { packBody } from "./offer-bodies.ts";
import { isPriced, NEW_OFFER, OfferFields, otherOfferError } from "./offer-form.tsx";
import { OfferTable } from "./offer-table.tsx";
import { offerOfPack } from "./offer.ts";
import { useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

const PATH = "/tenant/credit-packs";

export default function PacksPage(): ReactNode {
  const isAdmin = useIsAdmin();
  const [isOpen, setOpen] = useState(false);
  const list = useList(["credit-packs"], async (api, page, signal) => {
    const { data, ...rest } = await api.get("/api/v1/credit-packs/", { params: { query: page }, signal });
    return { ...rest, data: data.map(offerOfPack) };
  });
  return (
    <>
      <PageHeader
        title="Credit packs"
        actions={isAdmin && <Button onClick={() => setOpen(true)}>Add a credit pack</Button>}
      >
        Credits that are bought at once, by one payment.
      </PageHeader>
      <OfferTable
        kind="pack"
        label="Credit packs"
        path={PATH}
        list={list}
        empty={
          <Empty title="No credit packs">
            {isAdmin ? "Add" : "An admin adds"} one: customers buy it on Stripe’s page.
          </Empty>
        }
      />
      {isOpen && <NewPacks close={() => setOpen(false)} />}
    </>
  );
}

function NewPacks({ close }: { close: () => void }): ReactNode {
  const go = useGo();
  const [form, change] = useDraft(NEW_OFFER);
  const create = useAct((api) => api.post("/api/v1/credit-packs/", { body: { ...packBody(form) } }), {
    done: "It is on sale.",
    then: ({ id }) => go(`${PATH}/${id}`),
  });
  return (
    <FormDialog
      close={close}
      title="Add a credit pack"
      action="Add"
      disabled={!isPriced(form)}
      run={() => create.mutate(undefined)}
      isPending={create.isPending}
      error={otherOfferError(create.error)}
    >
      <OfferFields kind="pack" isNew form={form} change={change} error={create.error} />
    </FormDialog>
  );
}

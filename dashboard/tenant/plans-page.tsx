// The tenant's plans, on sale or not, and the form that makes one.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useList } from "../frame/hooks.ts";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { FormDialog } from "./form-dialog.tsx";
import { planBody } from "./offer-bodies.ts";
import { isPriced, NEW_OFFER, OfferFields, otherOfferError } from "./offer-form.tsx";
import { OfferTable } from "./offer-table.tsx";
import { offerOfPlan } from "./offer.ts";
import { useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

const PATH = "/tenant/plans";

export default function PlansPage(): ReactNode {
  const isAdmin = useIsAdmin();
  const [isOpen, setOpen] = useState(false);
  const list = useList(["plans"], async (api, page, signal) => {
    const { data, ...rest } = await api.get("/api/v1/plans/", { params: { query: page }, signal });
    return { ...rest, data: data.map(offerOfPlan) };
  });
  return (
    <>
      <PageHeader title="Plans" actions={isAdmin && <Button onClick={() => setOpen(true)}>Add a plan</Button>}>
        What is paid for over and over. A change of price holds for new subscriptions; those that run keep theirs.
      </PageHeader>
      <OfferTable
        kind="plan"
        label="Plans"
        path={PATH}
        list={list}
        empty={
          <Empty title="No plans">
            {isAdmin ? "Add" : "An admin adds"} one: customers subscribe to it on Stripe’s page or in yours.
          </Empty>
        }
      />
      {isOpen && <NewPlans close={() => setOpen(false)} />}
    </>
  );
}

function NewPlans({ close }: { close: () => void }): ReactNode {
  const go = useGo();
  const [form, change] = useDraft(NEW_OFFER);
  const create = useAct(
    (api) => api.post("/api/v1/plans/", { body: { ...planBody(form), billing_interval: form.interval } }),
    {
      done: "It is on sale.",
      then: ({ id }) => go(`${PATH}/${id}`),
    },
  );
  return (
    <FormDialog
      close={close}
      title="Add a plan"
      action="Add"
      disabled={!isPriced(form)}
      run={() => create.mutate(undefined)}
      isPending={create.isPending}
      error={otherOfferError(create.error)}
    >
      <OfferFields kind="plan" isNew form={form} change={change} error={create.error} />
    </FormDialog>
  );
}

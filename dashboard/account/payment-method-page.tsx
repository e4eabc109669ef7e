// The own payment method: what is charged, and the form that saves another one; also where the bank leads back to.
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { BillhookProvider, PaymentForm } from "../../kit/react/react.ts";
import type { components } from "../../kit/client/client.ts";
import { useAct, useOwnApi } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { useGo } from "../parts/page-link.tsx";
import { told } from "../parts/told.ts";
import { methodName, type OwnAccount, onThisOrigin, useOwnAccount } from "./own-reads.ts";
import { PaymentProgressCard, type Sentences } from "./payment-progress.tsx";

import "./account.css";

type Setup = components["schemas"]["PaymentMethodSetup"];
type Method = NonNullable<OwnAccount["default_payment_method"]>;

const PATH = "/dashboard/payment-method";
/** The account hears of a saved card a moment after it is saved. */
const LOOK_MS = 2000;

const SAYS: Sentences = {
  pending: "Waiting for your bank’s answer. This page changes by itself.",
  action_required: "Your bank did not confirm the card. Save it again, and confirm it there.",
  failed: "The card was not saved. Try again with another one.",
  succeeded: "The card is saved.",
};

export default function PaymentMethodPage(): ReactNode {
  const account = useOwnAccount(LOOK_MS);
  const returned = new URLSearchParams(location.search).get("setup_intent");
  return (
    <>
      <PageHeader title="Payment method">What your subscription and automatic top-ups are charged to.</PageHeader>
      {returned !== null && <Returned id={returned} />}
      <Loaded of={account} lines={4}>
        {({ default_payment_method: method }) =>
          method === null ? (
            <Empty title="No payment method is saved">Add one, and subscriptions and top-ups are paid with it.</Empty>
          ) : (
            <Saved method={method} />
          )
        }
      </Loaded>
      {returned === null && account.data !== undefined && (
        <Adding hasOne={account.data.default_payment_method !== null} />
      )}
    </>
  );
}

function Saved({ method }: { method: Method }): ReactNode {
  const { id, last4, exp_month: month, exp_year: year } = method;
  const expires = month === null || year === null ? undefined : `${String(month).padStart(2, "0")} / ${year}`;
  return (
    <Section title="Saved">
      <KeyValue
        facts={[
          ["Kind", methodName(method)],
          ["Number", last4 === null ? null : <span className="bh-figure">•••• {last4}</span>],
          ["Expires", expires === undefined ? undefined : <span className="bh-figure">{expires}</span>],
          ["Payment method", <IdText key="id" id={id} />],
        ]}
      />
    </Section>
  );
}

function Adding({ hasOne }: { hasOne: boolean }): ReactNode {
  const own = useOwnApi();
  const [setup, setSetup] = useState<Setup>();
  const begin = useAct(() => own.post("/account/payment-method/", {}), { then: setSetup });
  const title = hasOne ? "Replace it" : "Add one";
  return (
    <Section title={title}>
      <ErrorNote error={begin.error} />
      {setup === undefined || setup.client_secret === null ? (
        <Button loading={begin.isPending} onClick={() => begin.mutate(undefined)}>
          {hasOne ? "Save another payment method" : "Add a payment method"}
        </Button>
      ) : (
        <CardForm setup={setup} secret={setup.client_secret} done={() => setSetup(undefined)} />
      )}
    </Section>
  );
}

interface CardFormProps {
  setup: Setup;
  secret: string;
  done: () => void;
}

function CardForm({ setup, secret, done }: CardFormProps): ReactNode {
  const cache = useQueryClient();
  return (
    <BillhookProvider client={useOwnApi()}>
      <PaymentForm
        className="bh-card-form"
        payment={{ ...setup, client_secret: secret, status_url: onThisOrigin(setup.status_url) }}
        returnUrl={location.origin + PATH}
        submitLabel="Save"
        words={{ pending: "Saving it…", succeeded: "The card is saved." }}
        onProgress={({ state }) => {
          if (state !== "succeeded") return;
          void cache.invalidateQueries();
          told("The payment method is saved.");
          done();
        }}
      />
    </BillhookProvider>
  );
}

/** From the bank, which asked whether it is the person's card. */
function Returned({ id }: { id: string }): ReactNode {
  const go = useGo();
  return (
    <PaymentProgressCard id={id} says={SAYS} succeeded={() => <Fresh />}>
      <Button variant="default" onClick={() => go(PATH, { replace: true })}>
        Done
      </Button>
    </PaymentProgressCard>
  );
}

/** What other pages know of the account is older than this. */
function Fresh(): ReactNode {
  const cache = useQueryClient();
  useEffect(() => void cache.invalidateQueries(), [cache]);
  return null;
}

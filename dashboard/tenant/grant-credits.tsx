// Granting credits to a customer: how many, why, and until when.
import { NumberInput, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { fieldError, otherError } from "../parts/error-note.tsx";
import { FormDialog } from "./form-dialog.tsx";

const FIELDS = ["amount", "reason", "expires_at"];
const FIRST_AMOUNT = 100;

export function GrantCredits({ id, close }: { id: string; close: () => void }): ReactNode {
  // One for the dialog: pressed again after an answer that was lost, it grants no second time.
  const [source] = useState(() => `dashboard-${crypto.randomUUID()}`);
  const [amount, setAmount] = useState<number | string>(FIRST_AMOUNT);
  const [reason, setReason] = useState("");
  const [expires, setExpires] = useState("");
  const grant = useAct(
    (api) =>
      api.post("/api/v1/accounts/{id}/credits/grant/", {
        params: { path: { id }, header: { "idempotency-key": source } },
        body: { amount: Number(amount), reason: reason.trim(), ...(expires === "" ? {} : { expires_at: expires }) },
      }),
    { done: ({ balance_after: after }) => `Granted. The balance is ${after.toLocaleString("en")}.`, then: close },
  );
  return (
    <FormDialog
      close={close}
      title="Grant credits"
      action="Grant"
      run={() => grant.mutate(undefined)}
      isPending={grant.isPending}
      error={otherError(grant.error, FIELDS)}
    >
      <NumberInput
        label="Credits"
        min={1}
        allowDecimal={false}
        thousandSeparator=","
        required
        data-autofocus
        value={amount}
        error={fieldError(grant.error, "amount")}
        onChange={setAmount}
      />
      <TextInput
        label="Reason"
        description="Stands in the ledger, where the customer sees it."
        required
        maxLength={500}
        value={reason}
        error={fieldError(grant.error, "reason")}
        onChange={({ currentTarget }) => setReason(currentTarget.value)}
      />
      <TextInput
        label="Expire on"
        description="Left empty: never."
        type="date"
        value={expires}
        error={fieldError(grant.error, "expires_at")}
        onChange={({ currentTarget }) => setExpires(currentTarget.value)}
      />
    </FormDialog>
  );
}

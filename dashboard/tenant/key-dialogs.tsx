// Replacing API keys, with time for servers to change over, and revoking them at once.
import { Select, Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useStanding } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { fieldError, otherError } from "../parts/error-note.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import { FormDialog, SecretDialog } from "./form-dialog.tsx";
import { FIRST_GRACE, GraceField } from "./grace-field.tsx";

type Which = "live" | "test" | "all";

const WHICH = [
  { value: "live", label: "Live keys" },
  { value: "test", label: "Test keys" },
  { value: "all", label: "All keys" },
];

const isWhich = (text: string | null): text is Which => WHICH.some(({ value }) => value === text);

function WhichKeys({ value, change }: { value: Which; change: (which: Which) => void }): ReactNode {
  return (
    <Select
      label="Which"
      data={WHICH}
      value={value}
      allowDeselect={false}
      onChange={(chosen) => {
        if (isWhich(chosen)) change(chosen);
      }}
    />
  );
}

export function RegenerateKeys({ close }: { close: () => void }): ReactNode {
  const { mode } = useStanding();
  const [which, setWhich] = useState<Which>(mode);
  const [grace, setGrace] = useState(FIRST_GRACE);
  const regenerate = useAct((api) =>
    api.post("/api/v1/auth/tenants/api-keys/regenerate/", {
      body: { key_type: which, confirm: true, grace_seconds: grace },
    }),
  );
  if (regenerate.data !== undefined) {
    const secrets = Object.entries(regenerate.data.keys).map(([type, value]) => ({
      label: `${wordOf(type)} key`,
      value,
    }));
    return <SecretDialog title="New keys" secrets={secrets} done={close} />;
  }
  return (
    <FormDialog
      close={close}
      title="Regenerate keys"
      action="Regenerate"
      dangerous={grace === 0}
      run={() => regenerate.mutate(undefined)}
      isPending={regenerate.isPending}
      error={regenerate.error}
    >
      <WhichKeys value={which} change={setWhich} />
      <GraceField
        label="The old ones stop"
        value={grace}
        change={setGrace}
        atOnce="Whatever calls with the old keys is refused from that moment on."
        later="Until then both work: put the new ones into your servers meanwhile."
      />
    </FormDialog>
  );
}

export function RevokeKeys({ close }: { close: () => void }): ReactNode {
  const { mode } = useStanding();
  const [which, setWhich] = useState<Which>(mode);
  const [reason, setReason] = useState("");
  const revoke = useAct(
    (api) =>
      api.post("/api/v1/auth/tenants/api-keys/revoke/", {
        body: { key_type: which, reason: reason.trim(), confirm: true },
      }),
    { done: "The keys are revoked.", then: close },
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Revoke keys"
      action="Revoke"
      typed="revoke"
      run={() => revoke.mutate(undefined)}
      isPending={revoke.isPending}
      error={otherError(revoke.error, ["reason"])}
    >
      <div className="bh-stack">
        <p>
          They stop at once, and no new ones are made: whatever calls with them is refused until an owner regenerates
          keys.
        </p>
        <WhichKeys value={which} change={setWhich} />
        <Textarea
          label="Reason"
          description="Stands in the audit log."
          required
          autosize
          minRows={2}
          maxLength={500}
          value={reason}
          error={fieldError(revoke.error, "reason")}
          onChange={({ currentTarget }) => setReason(currentTarget.value)}
        />
      </div>
    </ConfirmDialog>
  );
}

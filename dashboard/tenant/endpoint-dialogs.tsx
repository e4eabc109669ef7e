// Changes of an endpoint: what it is, its secret, whether it is told anything, and its end.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useDraft } from "../parts/use-draft.ts";
import { EndpointFields, formOf, otherEndpointError, wiredForm } from "./endpoint-form.tsx";
import { FormDialog, SecretDialog } from "./form-dialog.tsx";
import { FIRST_GRACE, GraceField } from "./grace-field.tsx";
import type { Endpoint } from "./tenant-reads.ts";

export interface EndpointDialogProps {
  endpoint: Endpoint;
  close: () => void;
}

export function EditEndpoint({ endpoint, close }: EndpointDialogProps): ReactNode {
  const { id } = endpoint;
  const [form, change] = useDraft(() => formOf(endpoint));
  const save = useAct(
    (api) => api.patch("/api/v1/webhook-endpoints/{id}/", { params: { path: { id } }, body: wiredForm(form) }),
    { done: "The endpoint is saved.", then: close },
  );
  return (
    <FormDialog
      close={close}
      title="Edit the endpoint"
      action="Save"
      run={() => save.mutate(undefined)}
      isPending={save.isPending}
      error={otherEndpointError(save.error)}
    >
      <EndpointFields form={form} change={change} error={save.error} />
    </FormDialog>
  );
}

export function RotateSecret({ endpoint: { id, signature }, close }: EndpointDialogProps): ReactNode {
  const [grace, setGrace] = useState(FIRST_GRACE);
  const rotate = useAct((api) =>
    api.post("/api/v1/webhook-endpoints/{id}/rotate-secret/", {
      params: { path: { id } },
      body: { grace_seconds: grace },
    }),
  );
  if (rotate.data !== undefined) {
    const secrets = [{ label: "Signing secret", value: rotate.data.secret }];
    return <SecretDialog title="The new signing secret" secrets={secrets} done={close} />;
  }
  return (
    <FormDialog
      close={close}
      title="Rotate the signing secret"
      action="Rotate"
      dangerous={grace === 0}
      run={() => rotate.mutate(undefined)}
      isPending={rotate.isPending}
      error={rotate.error}
    >
      <GraceField
        label="The old one stops"
        value={grace}
        change={setGrace}
        atOnce="Deliveries are signed with the new secret alone: a server that has the old one refuses them."
        later="Until then deliveries are signed with both: put the new one into your server meanwhile."
      />
      {signature === "v1a" && <p className="bh-dim">Its public key is replaced too: the endpoint shows the new one.</p>}
    </FormDialog>
  );
}

export function SwitchEndpoint({ endpoint: { id, status }, close }: EndpointDialogProps): ReactNode {
  const isOn = status === "enabled";
  const change = useAct(
    (api) =>
      isOn
        ? api.post("/api/v1/webhook-endpoints/{id}/disable/", { params: { path: { id } } })
        : api.post("/api/v1/webhook-endpoints/{id}/enable/", { params: { path: { id } } }),
    { done: isOn ? "The endpoint is disabled." : "The endpoint is enabled.", then: close },
  );
  return (
    <ConfirmDialog
      opened
      close={close}
      title={isOn ? "Disable this endpoint?" : "Enable this endpoint?"}
      action={isOn ? "Disable" : "Enable"}
      dangerous={isOn}
      run={() => change.mutate(undefined)}
      isPending={change.isPending}
      error={change.error}
    >
      {isOn
        ? "It is told nothing more, and what waits for it is canceled. Events are kept: they can be recovered."
        : "It is told what happens from now on. What it missed meanwhile is sent by a recovery."}
    </ConfirmDialog>
  );
}

export function DeleteEndpoint({ endpoint: { id }, close }: EndpointDialogProps): ReactNode {
  const go = useGo();
  const cache = useQueryClient();
  const remove = useAct((api) => api.delete("/api/v1/webhook-endpoints/{id}/", { params: { path: { id } } }), {
    done: "The endpoint is deleted.",
    then: () => {
      // The page that is left would ask for what is gone.
      void cache.cancelQueries({ predicate: ({ queryKey }) => queryKey.includes(id) });
      go("/dashboard/webhooks", { replace: true });
    },
  });
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Delete this endpoint?"
      action="Delete"
      typed="delete"
      run={() => remove.mutate(undefined)}
      isPending={remove.isPending}
      error={remove.error}
    >
      Its secret is gone for good, and what waits for it is canceled. Events are kept.
    </ConfirmDialog>
  );
}

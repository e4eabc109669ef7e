// A form in a dialog, and a dialog that shows new secrets once.
import { Button, Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { SecretOnce, type SecretOnceProps } from "../parts/secret-once.tsx";

export interface FormDialogProps {
  close: () => void;
  title: string;
  children: ReactNode;
  /** The button's verb. */
  action: string;
  dangerous?: boolean;
  disabled?: boolean;
  run: () => void;
  isPending: boolean;
  /** Of no field of the form. */
  error: unknown;
}

/** Made when it is opened: each time anew, so that nothing of the last time is left in it. */
export function FormDialog(props: FormDialogProps): ReactNode {
  const { close, title, children, action, dangerous = false, disabled = false, run, isPending, error } = props;
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ "aria-label": "Close" }} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!disabled && !isPending) run();
        }}
      >
        <div className="bh-stack">
          {children}
          <ErrorNote error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" {...(dangerous ? { color: "red" } : {})} disabled={disabled} loading={isPending}>
              {action}
            </Button>
          </Group>
        </div>
      </form>
    </Modal>
  );
}

/** Nothing but its button closes it: a click beside it would lose the secrets. */
export function SecretDialog({ title, ...secrets }: SecretOnceProps & { title: string }): ReactNode {
  return (
    <Modal
      opened
      onClose={() => undefined}
      title={title}
      size="lg"
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      centered
    >
      <SecretOnce action="Close" {...secrets} />
    </Modal>
  );
}

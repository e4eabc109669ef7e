// Asks before something is done; before what cannot be undone, a word must be typed.
import { Button, Group, Modal, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { ErrorNote } from "./error-note.tsx";

export interface ConfirmDialogProps {
  opened: boolean;
  close: () => void;
  /** A question: `Revoke the live keys?` */
  title: string;
  /** What follows from it. */
  children: ReactNode;
  /** The button's verb: `Revoke`. */
  action: string;
  /** Must be typed first. */
  typed?: string;
  dangerous?: boolean;
  run: () => void;
  isPending?: boolean;
  /** Of what was tried. */
  error?: unknown;
}

export function ConfirmDialog(props: ConfirmDialogProps): ReactNode {
  const { opened, close, title } = props;
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ "aria-label": "Close" }} centered>
      {/* Made anew each time: what was typed before counts for nothing. */}
      {opened && <Question {...props} />}
    </Modal>
  );
}

function Question(props: ConfirmDialogProps): ReactNode {
  const { close, children, action, typed, dangerous = typed !== undefined, run, isPending = false, error } = props;
  const [text, setText] = useState("");
  const allowed = typed === undefined || text.trim() === typed;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (allowed && !isPending) run();
      }}
    >
      <div className="bh-stack">
        <div>{children}</div>
        {typed !== undefined && (
          <TextInput
            label={`Type ${typed} to confirm`}
            value={text}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
        )}
        <ErrorNote error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" {...(dangerous ? { color: "red" } : {})} disabled={!allowed} loading={isPending}>
            {action}
          </Button>
        </Group>
      </div>
    </form>
  );
}

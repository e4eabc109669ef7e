// What went wrong, what to do about it, and the request's id for whoever is asked.
import { Alert, Button } from "@mantine/core";
import type { ReactNode } from "react";

import { BillhookError } from "../../kit/client/client.ts";
import { CopyButton } from "./id-text.tsx";

export interface ErrorNoteProps {
  /** Null or undefined: nothing is shown. */
  error: unknown;
  /** Offers another try. */
  retry?: () => void;
}

export function ErrorNote({ error, retry }: ErrorNoteProps): ReactNode {
  if (error === null || error === undefined) return null;
  const known = error instanceof BillhookError ? error : undefined;
  return (
    <Alert color="red" variant="light" role="alert" title={known?.title ?? "That did not work"} className="bh-error">
      <p>{known?.message ?? "Something on this page failed: load it again."}</p>
      {known?.requestId !== undefined && (
        <p className="bh-small">
          Request <span className="bh-mono">{known.requestId}</span>{" "}
          <CopyButton text={known.requestId} label="Copy the request's id" />
        </p>
      )}
      {retry !== undefined && (
        <Button size="xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** For a form's field: what is wrong with it, if it is this one. */
export function fieldError(error: unknown, field: string): string | undefined {
  return error instanceof BillhookError && error.param === field ? error.message : undefined;
}

/** What belongs to no field of the form. */
export function otherError(error: unknown, fields: readonly string[]): unknown {
  return error instanceof BillhookError && error.param !== undefined && fields.includes(error.param)
    ? undefined
    : error;
}

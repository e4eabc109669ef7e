// The sandbox's control endpoints, called from the page: plain forms, which a browser sends to another origin without asking first.
import type { UseQueryResult } from "@tanstack/react-query";

import { BillhookError } from "../../kit/client/client.ts";
import { type ReadOptions, settings, useRead } from "../frame/hooks.ts";

/** `http://127.0.0.1:12111` */
export const sandboxOrigin = (): string => new URL(settings.sandbox_url ?? location.origin).origin;

/** `fields`: a POST; without them it is a GET. Throws BillhookError. */
export async function control<Answer>(
  path: string,
  fields?: Record<string, string>,
  signal?: AbortSignal,
): Promise<Answer> {
  const method = fields === undefined ? {} : { method: "POST", body: new URLSearchParams(fields) };
  const response = await fetch(`${sandboxOrigin()}/_sandbox/${path}`, {
    ...method,
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    throw new BillhookError({ code: "unreachable", status: 0, message: UNREACHABLE, cause });
  });
  const answer = (await response.json()) as Answer & { error?: { message?: string } };
  if (response.ok) return answer;
  const message = answer.error?.message ?? "The sandbox refused it.";
  throw new BillhookError({
    code: "sandbox_refused",
    status: response.status,
    title: "The sandbox refused it",
    message,
  });
}

const UNREACHABLE =
  "This browser does not reach the sandbox: open the dashboard at localhost, on the machine that the sandbox runs on.";

export function useControl<Answer>(path: string, options: ReadOptions = {}): UseQueryResult<Answer, BillhookError> {
  return useRead(["sandbox", path], (_api, signal) => control<Answer>(path, undefined, signal), options);
}

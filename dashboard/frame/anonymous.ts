// Calls of who is not signed in, and how their forms run.
import { type UseMutationResult, useMutation } from "@tanstack/react-query";

import { billhook, type BillhookError } from "../../kit/client/client.ts";
import { beginSession } from "./session.ts";

/** Without a token. */
export const anonymous = billhook({ baseUrl: location.origin });

interface Session {
  user: { id: string };
  tokens: { access: string };
}

/** `session` as a sign-in with `cookie: true` answered it. */
export function enter({ user, tokens }: Session): void {
  beginSession(user.id, tokens.access);
}

/** A form's call: `form.mutate(fields)`, `form.isPending`, `form.error`. */
export function useForm<In, Out>(
  send: (given: In) => Promise<Out>,
  then?: (answer: Out, given: In) => void,
): UseMutationResult<Out, BillhookError, In> {
  return useMutation<Out, BillhookError, In>({ mutationFn: send, ...(then === undefined ? {} : { onSuccess: then }) });
}

/** The token of a mailed link stands behind the #, which no server sees; it is read once and leaves the address. */
export function tokenOfLink(): string {
  return linkToken;
}

const linkToken = takeToken();

function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return "";
  history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

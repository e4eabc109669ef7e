// Signing in by a link that the server printed: posted at once, gone from the address.
import { type ReactNode, useEffect } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { Waiting } from "../parts/loaded.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { anonymous, enter, tokenOfLink, useForm } from "./anonymous.ts";
import { CardPage } from "./card-page.tsx";
import { FIRST_STEPS, firstStepsWait } from "./first-steps.ts";
import { usePageTitle } from "./gates.tsx";

/** The link works once, and React may run an effect twice. */
let isSent = false;

export default function SignInLinkPage(): ReactNode {
  usePageTitle("Sign in");
  const go = useGo();
  const token = tokenOfLink();
  const { mutate, error } = useForm(
    (given: string) => anonymous.post("/api/v1/auth/sign-in-link/", { body: { token: given, cookie: true } }),
    (session) => {
      enter(session);
      go(firstStepsWait() ? FIRST_STEPS : "/", { replace: true });
    },
  );
  useEffect(() => {
    if (token === "" || isSent) return;
    isSent = true;
    mutate(token);
  }, [token, mutate]);
  if (token === "" || error !== null) {
    return (
      <CardPage
        title="This link cannot be used"
        lead="It works once, for 15 minutes. Start the server again for a new one, or sign in with your password."
        foot={<PageLink to="/sign-in">Sign in</PageLink>}
      >
        <ErrorNote error={error} />
      </CardPage>
    );
  }
  return (
    <CardPage title="Signing you in">
      <Waiting lines={2} />
    </CardPage>
  );
}

// Signing in by address and password.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { anonymous, enter, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";
import { nextPath } from "./next-path.ts";
import { useSessionPerson } from "./session.ts";

export default function SignInPage(): ReactNode {
  usePageTitle("Sign in");
  const go = useGo();
  const person = useSessionPerson();
  const form = useForm(
    ({ email = "", password = "" }: Record<string, string>) =>
      anonymous.post("/api/v1/auth/login/", { body: { email, password, cookie: true } }),
    enter,
  );
  // Also when another tab has signed in.
  useEffect(() => {
    if (person !== undefined) go(nextPath(), { replace: true });
  });
  return (
    <CardPage
      title="Sign in"
      foot={
        <>
          <PageLink to="/forgot-password">Forgot your password?</PageLink>
          <PageLink to={`/register${location.search}`}>Create an account</PageLink>
          <PageLink to="/register/tenant">Register a tenant</PageLink>
        </>
      }
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <TextInput name="email" type="email" label="E-mail address" autoComplete="username" required autoFocus />
        <PasswordInput name="password" label="Password" autoComplete="current-password" required />
        <ErrorNote error={form.error} />
        <Button type="submit" loading={form.isPending}>
          Sign in
        </Button>
      </form>
    </CardPage>
  );
}

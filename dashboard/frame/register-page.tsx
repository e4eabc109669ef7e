// Registering a person: an account for credits and a subscription, without a tenant.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { anonymous, enter, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";
import { nextPath } from "./next-path.ts";

const FIELDS = ["email", "password", "name"];

export default function RegisterPage(): ReactNode {
  usePageTitle("Create an account");
  const go = useGo();
  const form = useForm(
    ({ email = "", password = "", name = "" }: Record<string, string>) =>
      anonymous.post("/api/v1/auth/register/", {
        body: { email, password, ...(name.trim() === "" ? {} : { name }), cookie: true },
      }),
    (session) => {
      enter(session);
      go(nextPath(), { replace: true });
    },
  );
  return (
    <CardPage
      title="Create an account"
      lead="For credits and subscriptions. A company that takes payments registers a tenant."
      foot={
        <>
          <PageLink to={`/sign-in${location.search}`}>Sign in instead</PageLink>
          <PageLink to="/register/tenant">Register a tenant</PageLink>
        </>
      }
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <TextInput name="name" label="Name" autoComplete="name" error={fieldError(form.error, "name")} />
        <TextInput
          name="email"
          type="email"
          label="E-mail address"
          autoComplete="username"
          required
          error={fieldError(form.error, "email")}
        />
        <PasswordInput
          name="password"
          label="Password"
          description="At least 10 characters, none of the common ones."
          autoComplete="new-password"
          required
          error={fieldError(form.error, "password")}
        />
        <ErrorNote error={otherError(form.error, FIELDS)} />
        <Button type="submit" loading={form.isPending}>
          Create the account
        </Button>
      </form>
    </CardPage>
  );
}

// Accepting an invitation to a tenant, or the first operator's to the platform.
import { Button, Checkbox, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { anonymous, enter, tokenOfLink, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";
import { forgetMe } from "./me.ts";
import { chooseTenant } from "./standing.ts";

const FIELDS = ["email", "name", "password"];

function accept(token: string, { email = "", name = "", password = "" }: Record<string, string>) {
  const body = {
    ...{ token, cookie: true },
    ...(password === "" ? {} : { password }),
    ...(name.trim() === "" ? {} : { name }),
    ...(email === "" ? {} : { email }),
  };
  return anonymous.post("/api/v1/auth/tenants/members/accept/", { body });
}

export default function InvitationPage(): ReactNode {
  usePageTitle("Invitation");
  const go = useGo();
  const token = tokenOfLink();
  const [isFirst, setFirst] = useState(false);
  const form = useForm(
    (given: Record<string, string>) => accept(token, given),
    ({ tenant, user, tokens }) => {
      forgetMe();
      chooseTenant(tenant.id);
      if (tokens !== null) enter({ user, tokens });
      go(tokens === null ? "/sign-in" : "/", { replace: true });
    },
  );
  if (token === "") {
    return (
      <CardPage title="This link is not whole" lead="Open it again where you found it, or ask for a new invitation.">
        <PageLink to="/sign-in">Sign in</PageLink>
      </CardPage>
    );
  }
  const needsAddress = isFirst || fieldError(form.error, "email") !== undefined;
  return (
    <CardPage
      title="Accept the invitation"
      lead="Choose a password. If you have an account already, enter its password, or leave it empty."
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <Checkbox
          label="The link came from the server's start, not by mail"
          checked={needsAddress}
          onChange={({ currentTarget }) => setFirst(currentTarget.checked)}
        />
        {needsAddress && (
          <TextInput
            name="email"
            type="email"
            label="E-mail address"
            autoComplete="username"
            required
            error={fieldError(form.error, "email")}
          />
        )}
        <TextInput name="name" label="Name" autoComplete="name" error={fieldError(form.error, "name")} />
        <PasswordInput
          name="password"
          label="Password"
          description="At least 10 characters, none of the common ones."
          autoComplete="new-password"
          error={fieldError(form.error, "password")}
        />
        <ErrorNote error={otherError(form.error, FIELDS)} />
        <Button type="submit" loading={form.isPending}>
          Accept
        </Button>
      </form>
    </CardPage>
  );
}

// Choosing a new password by a mailed link.
import { Button, PasswordInput } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { anonymous, tokenOfLink, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";

export default function ResetPasswordPage(): ReactNode {
  usePageTitle("New password");
  const token = tokenOfLink();
  const form = useForm(({ password = "" }: Record<string, string>) =>
    anonymous.post("/api/v1/auth/password/reset/", { body: { token, password } }),
  );
  if (token === "") {
    return (
      <CardPage title="This link is not whole" lead="Open it from the mail again, or ask for a new one.">
        <PageLink to="/forgot-password">Ask for a new link</PageLink>
      </CardPage>
    );
  }
  if (form.data !== undefined) {
    return (
      <CardPage title="The password is changed" foot={<PageLink to="/sign-in">Sign in</PageLink>}>
        <p role="status">{form.data.message}</p>
      </CardPage>
    );
  }
  return (
    <CardPage
      title="Choose a new password"
      lead="Every session of yours ends with it."
      foot={<PageLink to="/forgot-password">Ask for a new link</PageLink>}
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <PasswordInput
          name="password"
          label="New password"
          description="At least 10 characters, none of the common ones."
          autoComplete="new-password"
          required
          error={fieldError(form.error, "password")}
        />
        <ErrorNote error={otherError(form.error, ["password"])} />
        <Button type="submit" loading={form.isPending}>
          Change the password
        </Button>
      </form>
    </CardPage>
  );
}

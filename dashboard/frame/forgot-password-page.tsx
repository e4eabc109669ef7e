// Asking for a link to a new password.
import { Button, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { anonymous, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";

export default function ForgotPasswordPage(): ReactNode {
  usePageTitle("Forgot password");
  const form = useForm(({ email = "" }: Record<string, string>) =>
    anonymous.post("/api/v1/auth/password/forgot/", { body: { email } }),
  );
  const foot = <PageLink to="/sign-in">Sign in</PageLink>;
  if (form.data !== undefined) {
    return (
      <CardPage title="Look into your mailbox" foot={foot}>
        <p role="status">{form.data.message} It works once, for an hour.</p>
      </CardPage>
    );
  }
  return (
    <CardPage title="Forgot your password?" lead="A link to choose a new one is mailed to you." foot={foot}>
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <TextInput name="email" type="email" label="E-mail address" autoComplete="username" required autoFocus />
        <ErrorNote error={form.error} />
        <Button type="submit" loading={form.isPending}>
          Mail me a link
        </Button>
      </form>
    </CardPage>
  );
}

// Verifying an address by a mailed link. By a button: programs that look into mails open links, and would use it up.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { anonymous, tokenOfLink, useForm } from "./anonymous.ts";
import { queries } from "./asking.ts";
import { CardPage } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";

export default function VerifyAddressPage(): ReactNode {
  usePageTitle("Verify your address");
  const token = tokenOfLink();
  const form = useForm(
    () => anonymous.post("/api/v1/auth/email/verify/", { body: { token } }),
    () => void queries.invalidateQueries(),
  );
  const foot = <PageLink to="/">Go to the dashboard</PageLink>;
  if (form.data !== undefined) {
    return (
      <CardPage title="Your address is verified" foot={foot}>
        <p role="status">{form.data.message}</p>
      </CardPage>
    );
  }
  if (token === "") {
    return (
      <CardPage
        title="This link is not whole"
        lead="Open it from the mail again, or sign in and ask for a new one."
        foot={foot}
      >
        {null}
      </CardPage>
    );
  }
  return (
    <CardPage title="Verify your address" lead="One press, and it is done." foot={foot}>
      <div className="bh-stack">
        <ErrorNote error={form.error} />
        <Button loading={form.isPending} onClick={() => form.mutate(undefined)}>
          Verify the address
        </Button>
      </div>
    </CardPage>
  );
}

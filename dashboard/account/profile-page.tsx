// Who is signed in: name, address, password, and where else they are signed in.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct, useMe, useOwnApi } from "../frame/hooks.ts";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { IdText } from "../parts/id-text.tsx";
import { KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { Sessions } from "./sessions.tsx";

import "./account.css";

export default function ProfilePage(): ReactNode {
  return (
    <>
      <PageHeader title="Profile and password" />
      <Facts />
      <Section title="Name">
        <NameForm />
      </Section>
      <Section title="Password">
        <PasswordForm />
      </Section>
      <Section title="Where you are signed in">
        <Sessions />
      </Section>
    </>
  );
}

function Facts(): ReactNode {
  const { id, email, email_verified: isVerified, created_at: at } = useMe();
  const own = useOwnApi();
  const resend = useAct(() => own.post("/api/v1/auth/email/resend/", {}), {
    done: "A link to confirm your address is on its way.",
  });
  return (
    <>
      <KeyValue
        facts={[
          ["E-mail address", email],
          [
            "Confirmed",
            <span key="confirmed" className="bh-row">
              <StatusDot status={isVerified ? "verified" : "pending"} label={isVerified ? "Yes" : "Not yet"} />
              {!isVerified && (
                <Button
                  size="compact-xs"
                  variant="default"
                  loading={resend.isPending}
                  onClick={() => resend.mutate(undefined)}
                >
                  Send the link again
                </Button>
              )}
            </span>,
          ],
          ["Since", <RelativeTime key="since" at={at} />],
          ["Person", <IdText key="id" id={id} />],
        ]}
      />
      <ErrorNote error={resend.error} />
    </>
  );
}

function NameForm(): ReactNode {
  const { name } = useMe();
  const own = useOwnApi();
  const save = useAct(
    (_api, given: string) => own.patch("/api/v1/auth/me/", { body: { name: given === "" ? null : given } }),
    { done: "Your name is saved." },
  );
  return (
    <form
      className="bh-stack bh-narrow"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(textOf(new FormData(event.currentTarget), "name").trim());
      }}
    >
      <TextInput
        name="name"
        label="Name"
        autoComplete="name"
        defaultValue={name ?? ""}
        error={fieldError(save.error, "name")}
      />
      <ErrorNote error={otherError(save.error, ["name"])} />
      <div>
        <Button type="submit" variant="default" loading={save.isPending}>
          Save the name
        </Button>
      </div>
    </form>
  );
}

const FIELDS = ["current_password", "new_password"];

function PasswordForm(): ReactNode {
  const own = useOwnApi();
  const save = useAct(
    (_api, body: { current_password: string; new_password: string }) =>
      own.post("/api/v1/auth/password/change/", { body }),
    { done: "Your password is changed." },
  );
  return (
    <form
      className="bh-stack bh-narrow"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const fields = new FormData(form);
        save.mutate(
          { current_password: textOf(fields, "current"), new_password: textOf(fields, "new") },
          { onSuccess: () => form.reset() },
        );
      }}
    >
      <PasswordInput
        name="current"
        label="Current password"
        autoComplete="current-password"
        required
        error={fieldError(save.error, "current_password")}
      />
      <PasswordInput
        name="new"
        label="New password"
        description="At least 10 characters, none of the common ones."
        autoComplete="new-password"
        required
        error={fieldError(save.error, "new_password")}
      />
      <ErrorNote error={otherError(save.error, FIELDS)} />
      <div className="bh-row">
        <Button type="submit" variant="default" loading={save.isPending}>
          Change the password
        </Button>
        <PageLink to="/forgot-password">I have none, or forgot it</PageLink>
      </div>
    </form>
  );
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

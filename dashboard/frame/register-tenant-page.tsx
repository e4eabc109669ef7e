// Registering a tenant with its first owner; its keys are shown this once.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { SecretOnce } from "../parts/secret-once.tsx";
import { anonymous, enter, useForm } from "./anonymous.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";
import { chooseTenant } from "./standing.ts";

const FIELDS = ["company_name", "domain", "email", "password"] as const;

const register = ({ company_name = "", domain = "", email = "", password = "" }: Record<string, string>) =>
  anonymous.post("/api/v1/auth/tenants/register/", { body: { company_name, domain, email, password, cookie: true } });

type Registered = Awaited<ReturnType<typeof register>>;

export default function RegisterTenantPage(): ReactNode {
  usePageTitle("Register a tenant");
  const [registered, setRegistered] = useState<Registered>();
  return registered === undefined ? <RegistrationForm done={setRegistered} /> : <NewKeys of={registered} />;
}

function RegistrationForm({ done }: { done: (registered: Registered) => void }): ReactNode {
  const form = useForm(register, done);
  const field = (name: (typeof FIELDS)[number]) => ({ name, required: true, error: fieldError(form.error, name) });
  return (
    <CardPage
      title="Register a tenant"
      lead="A company that takes payments on its own Stripe account. You become its first owner."
      foot={<PageLink to="/sign-in">Sign in instead</PageLink>}
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <TextInput {...field("company_name")} label="Company" autoComplete="organization" />
        <TextInput {...field("domain")} label="Domain" placeholder="example.com" autoComplete="off" />
        <TextInput {...field("email")} type="email" label="Your e-mail address" autoComplete="username" />
        <PasswordInput
          {...field("password")}
          label="Password"
          description="At least 10 characters, none of the common ones."
          autoComplete="new-password"
        />
        <ErrorNote error={otherError(form.error, FIELDS)} />
        <Button type="submit" loading={form.isPending}>
          Register
        </Button>
      </form>
    </CardPage>
  );
}

function NewKeys({ of }: { of: Registered }): ReactNode {
  const go = useGo();
  const { api_keys: keys, webhook_secret: webhookSecret, tenant } = of;
  const secrets = [
    { label: "Live secret key", value: keys.live_secret },
    { label: "Live public key", value: keys.live_public },
    { label: "Test secret key", value: keys.test_secret },
    { label: "Test public key", value: keys.test_public },
    { label: "Webhook signing secret", value: webhookSecret },
  ];
  return (
    <CardPage title={`${tenant.company_name} is registered`} wide>
      <SecretOnce
        secrets={secrets}
        action="Open the dashboard"
        done={() => {
          enter(of);
          chooseTenant(tenant.id);
          go("/", { replace: true });
        }}
      />
    </CardPage>
  );
}

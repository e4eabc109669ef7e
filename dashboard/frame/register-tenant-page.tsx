// Registering a tenant with its first owner: a newcomer, or who is signed in. Its keys are shown this once.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { BillhookClient, paths } from "../../kit/client/client.ts";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { SecretOnce } from "../parts/secret-once.tsx";
import { anonymous, enter, useForm } from "./anonymous.ts";
import { useOwnApi } from "./asking.ts";
import { CardPage, fieldsOf } from "./card-page.tsx";
import { usePageTitle } from "./gates.tsx";
import { forgetMe, useMeQuery } from "./me.ts";
import { useSessionPerson } from "./session.ts";
import { chooseTenant } from "./standing.ts";

const FIELDS = ["company_name", "domain", "email", "password"] as const;

type Fields = Record<string, string>;
type Added = paths["/api/v1/auth/tenants/"]["post"]["responses"][201]["content"]["application/json"];
/** `session`: of a newcomer, who is signed in when the keys are stored. */
type Registered = Added & { session?: Parameters<typeof enter>[0] };

async function register({ company_name = "", domain = "", email = "", password = "" }: Fields): Promise<Registered> {
  const body = { company_name, domain, email, password, cookie: true };
  const { user, tokens, ...added } = await anonymous.post("/api/v1/auth/tenants/register/", { body });
  return { ...added, session: { user, tokens } };
}

const add = (own: BillhookClient, { company_name = "", domain = "" }: Fields): Promise<Registered> =>
  own.post("/api/v1/auth/tenants/", { body: { company_name, domain } });

export default function RegisterTenantPage(): ReactNode {
  usePageTitle("Register a tenant");
  const [registered, setRegistered] = useState<Registered>();
  return registered === undefined ? <RegistrationForm done={setRegistered} /> : <NewKeys of={registered} />;
}

function RegistrationForm({ done }: { done: (registered: Registered) => void }): ReactNode {
  const isNew = useSessionPerson() === undefined;
  const own = useOwnApi();
  const form = useForm((given: Fields) => (isNew ? register(given) : add(own, given)), done);
  const field = (name: (typeof FIELDS)[number]) => ({ name, required: true, error: fieldError(form.error, name) });
  return (
    <CardPage
      title="Register a tenant"
      lead={
        <>
          A company that takes payments on its own Stripe account. {isNew ? "You become its first owner." : <Owner />}
        </>
      }
      foot={
        isNew ? <PageLink to="/sign-in">Sign in instead</PageLink> : <PageLink to="/">Go to the dashboard</PageLink>
      }
    >
      <form onSubmit={(event) => form.mutate(fieldsOf(event))} className="bh-stack">
        <TextInput {...field("company_name")} label="Company" autoComplete="organization" />
        <TextInput {...field("domain")} label="Domain" placeholder="example.com" autoComplete="off" />
        {isNew && (
          <>
            <TextInput {...field("email")} type="email" label="Your e-mail address" autoComplete="username" />
            <PasswordInput
              {...field("password")}
              label="Password"
              description="At least 10 characters, none of the common ones."
              autoComplete="new-password"
            />
          </>
        )}
        <ErrorNote error={otherError(form.error, FIELDS)} />
        <Button type="submit" loading={form.isPending}>
          Register
        </Button>
      </form>
    </CardPage>
  );
}

/** Who is signed in here, so that nobody registers it as somebody else. */
function Owner(): ReactNode {
  const email = useMeQuery().data?.email;
  return <>You become its first owner{email !== undefined && `, as ${email}`}.</>;
}

function NewKeys({ of }: { of: Registered }): ReactNode {
  const go = useGo();
  const { api_keys: keys, webhook_secret: webhookSecret, tenant, session } = of;
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
          if (session !== undefined) enter(session);
          forgetMe();
          chooseTenant(tenant.id);
          go("/dashboard/connect", { replace: true });
        }}
      />
    </CardPage>
  );
}

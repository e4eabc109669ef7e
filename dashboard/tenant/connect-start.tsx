// The button that leads to Stripe's onboarding; where an account is there already, its owner lets the platform in.
import { Button, Menu } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Icon } from "../parts/icons.tsx";

type Way = "account_link" | "oauth";

/** `again`: the onboarding goes on with the account that was made. */
export function ConnectAccount({ again = false }: { again?: boolean }): ReactNode {
  const [isLeaving, setLeaving] = useState(false);
  const start = useAct(
    (api, method: Way | undefined) =>
      api.post("/api/v1/auth/tenants/stripe/connect/", { body: method === undefined ? {} : { method } }),
    {
      // The button stays busy until Stripe's page is there.
      then: ({ url }) => {
        setLeaving(true);
        location.assign(url);
      },
    },
  );
  const isBusy = start.isPending || isLeaving;
  return (
    <>
      <ErrorNote error={start.error} />
      <span className="bh-row bh-centred">
        <Button loading={isBusy} onClick={() => start.mutate(undefined)}>
          {again ? "Go on at Stripe" : "Connect with Stripe"}
        </Button>
        {!again && (
          <Menu>
            <Menu.Target>
              <Button variant="default" disabled={isBusy} rightSection={<Icon name="down" size={11} />}>
                Another way
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => start.mutate("account_link")}>Make a new Stripe account</Menu.Item>
              <Menu.Item onClick={() => start.mutate("oauth")}>Use an account that I have</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </span>
    </>
  );
}

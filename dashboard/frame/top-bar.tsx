// The bar above every page: which tenant, which mode, search, the scheme of colours, and the person.
import { Menu, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";

import { Icon } from "../parts/icons.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useMe, useMembership } from "./me.ts";
import { SearchBox } from "./search-box.tsx";
import { endSession } from "./session.ts";
import { settings } from "./settings.ts";
import { chooseMode, chooseTenant, useStanding } from "./standing.ts";

export function TopBar({ openMenu }: { openMenu: () => void }): ReactNode {
  const { mode } = useStanding();
  return (
    <header className="bh-top" data-mode={mode}>
      <button
        type="button"
        className="bh-top-button bh-menu-button"
        aria-label="Open the navigation"
        aria-haspopup="dialog"
        onClick={openMenu}
      >
        <Icon name="menu" size={16} />
      </button>
      <TenantMenu />
      <ModeSwitch />
      <span className="bh-top-space" />
      <SearchBox />
      <SchemeButton />
      <PersonMenu />
    </header>
  );
}

function TenantMenu(): ReactNode {
  const { tenants } = useMe();
  const chosen = useMembership();
  if (chosen === undefined) return null;
  if (tenants.length === 1) return <span className="bh-top-button bh-wide">{chosen.company_name}</span>;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className="bh-top-button" aria-label={`Tenant: ${chosen.company_name}`}>
          {chosen.company_name} <Icon name="down" size={12} />
        </button>
      </Menu.Target>
      <Menu.Dropdown mah="60vh" className="bh-scroll">
        {tenants.map(({ id, company_name: name, role }) => (
          <Menu.Item
            key={id}
            onClick={() => chooseTenant(id)}
            rightSection={<span className="bh-dim bh-small">{role}</span>}
            leftSection={id === chosen.id ? <Icon name="done" /> : <span className="bh-no-sign" />}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** In the sandbox there is no other mode to switch to. */
function ModeSwitch(): ReactNode {
  const { mode } = useStanding();
  if (settings.sandbox_url !== null) {
    return (
      <span className="bh-mode" title="No Stripe key is set: this is the local sandbox, with no real money.">
        Sandbox
      </span>
    );
  }
  const [name, other] = mode === "test" ? (["Test mode", "live"] as const) : (["Live mode", "test"] as const);
  return (
    <button
      type="button"
      aria-label={`${name}: change to ${other} mode`}
      className="bh-top-button"
      onClick={() => chooseMode(other)}
    >
      {mode === "test" ? <span className="bh-mode">{name}</span> : name}
    </button>
  );
}

const NEXT = { auto: "light", light: "dark", dark: "auto" } as const;
const SCHEMES = { auto: "as the system has it", light: "light", dark: "dark" } as const;

function SchemeButton(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const label = `Colours: ${SCHEMES[colorScheme]}. Change to ${SCHEMES[NEXT[colorScheme]]}`;
  return (
    <button
      type="button"
      className="bh-top-button"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(NEXT[colorScheme])}
    >
      <Icon name={colorScheme === "dark" ? "moon" : "sun"} size={15} />
    </button>
  );
}

function PersonMenu(): ReactNode {
  const me = useMe();
  const go = useGo();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <button type="button" className="bh-top-button" aria-label={`You: ${me.name ?? me.email}`}>
          <span className="bh-wide">{me.name ?? me.email}</span>
          <span className="bh-initial" aria-hidden>
            {(me.name ?? me.email).charAt(0).toUpperCase()}
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.email}</Menu.Label>
        <Menu.Item onClick={() => go("/dashboard/credits")}>Your account</Menu.Item>
        <Menu.Item onClick={() => go("/register/tenant")}>Register a tenant</Menu.Item>
        <Menu.Item component="a" href="/api/docs">
          API reference
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => void endSession()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

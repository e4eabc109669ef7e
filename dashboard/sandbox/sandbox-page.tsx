// The sandbox panel: what waits to be paid, the clock, events, chaos, and beside them how Billhook takes it.
import type { ReactNode } from "react";

import { Icon } from "../parts/icons.tsx";
import { PageHeader, Section } from "../parts/page-frame.tsx";
import { Chaos } from "./chaos.tsx";
import { Clock } from "./clock.tsx";
import { OpenCheckouts } from "./open-checkouts.tsx";
import { Pipe } from "./pipe.tsx";
import { sandboxOrigin } from "./sandbox-control.ts";
import { Trigger } from "./trigger.tsx";

import "./sandbox.css";

export default function SandboxPage(): ReactNode {
  const origin = sandboxOrigin();
  return (
    <>
      <PageHeader
        title="Sandbox panel"
        actions={
          <a href={origin} target="_blank" rel="noreferrer">
            Its own page <Icon name="away" size={11} />
          </a>
        }
      >
        A local Stripe at <span className="bh-mono">{origin}</span>. No money moves.
      </PageHeader>
      <Section title="The pipe, live">
        <Pipe />
      </Section>
      <Section title="Checkouts that wait for a buyer">
        <OpenCheckouts />
      </Section>
      <div className="bh-deeds">
        <Section title="Trigger an event">
          <Trigger />
        </Section>
        <Section title="Clock">
          <Clock />
        </Section>
        <Section title="Chaos">
          <Chaos />
        </Section>
      </div>
    </>
  );
}

// What befalls the sandbox's webhooks from now on: Billhook must end in the same state whatever it is.
import { Switch } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { control, useControl } from "./sandbox-control.ts";

interface ChaosState {
  duplicate: number;
  reorder: { share: number };
  delay: { share: number };
  drop: number;
}

interface Evil {
  name: keyof ChaosState;
  label: string;
  description: string;
  /** Of the deliveries, when it is on. */
  share: string;
}

const EVILS: readonly Evil[] = [
  { name: "duplicate", label: "Twice", description: "Every event is sent twice.", share: "1" },
  { name: "reorder", label: "Out of order", description: "Events overtake each other.", share: "1" },
  { name: "delay", label: "Late", description: "Every event comes three seconds late.", share: "1" },
  { name: "drop", label: "Lost at first", description: "Half of the first attempts are not made.", share: "0.5" },
];

export function Chaos(): ReactNode {
  const state = useControl<ChaosState>("chaos");
  const change = useAct((_api, fields: Record<string, string>) => control<ChaosState>("chaos", fields));
  return (
    <Loaded of={state} lines={6}>
      {(chaos) => {
        const isOn = EVILS.some(({ name }) => shareOf(chaos, name) > 0);
        return (
          <div className="bh-stack">
            <StatusDot status={isOn ? "warn" : "ok"} tone={isOn ? "warn" : "good"} label={isOn ? "On" : "Off"} />
            {EVILS.map(({ name, label, description, share }) => (
              <Switch
                key={name}
                label={label}
                description={description}
                checked={shareOf(chaos, name) > 0}
                disabled={change.isPending}
                onChange={({ currentTarget }) => change.mutate({ [name]: currentTarget.checked ? share : "0" })}
              />
            ))}
            <ErrorNote error={change.error} />
          </div>
        );
      }}
    </Loaded>
  );
}

function shareOf(chaos: ChaosState, name: keyof ChaosState): number {
  const value = chaos[name];
  return typeof value === "number" ? value : value.share;
}

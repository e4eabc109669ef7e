// Setting the sandbox's clock forward: renewals, ends of trials, retries and expiries happen on the way.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { ExactTime } from "../parts/relative-time.tsx";
import { control } from "./sandbox-control.ts";

const HOUR = 3600;
const STEPS = [
  { value: String(HOUR), label: "one hour" },
  { value: String(24 * HOUR), label: "one day" },
  { value: String(7 * 24 * HOUR), label: "one week" },
  { value: String(31 * 24 * HOUR), label: "one month" },
  { value: String(366 * 24 * HOUR), label: "one year" },
];

export function Clock(): ReactNode {
  const [seconds, setSeconds] = useState(String(24 * HOUR));
  const advance = useAct(() => control<{ now: number }>("clock/advance", { seconds }), {
    done: "The sandbox’s clock is set forward.",
  });
  return (
    <form
      className="bh-stack"
      aria-label="Clock"
      onSubmit={(event) => {
        event.preventDefault();
        advance.mutate(undefined);
      }}
    >
      <p className="bh-dim">
        What falls due on the way happens: renewals, ends of trials, retries. It cannot be set back.
      </p>
      <Select
        label="Set it forward by"
        data={STEPS}
        value={seconds}
        allowDeselect={false}
        onChange={(value) => value !== null && setSeconds(value)}
      />
      <ErrorNote error={advance.error} />
      <div className="bh-row">
        <Button type="submit" variant="default" loading={advance.isPending}>
          Set the clock forward
        </Button>
      </div>
      <p role="status" className="bh-small bh-dim bh-said">
        {advance.data !== undefined && (
          <>
            It is <ExactTime at={new Date(advance.data.now * 1000).toISOString()} /> there now.
          </>
        )}
      </p>
    </form>
  );
}

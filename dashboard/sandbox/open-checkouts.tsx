// The checkout sessions that nobody has paid yet, each paid by one click with the test card.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import { control, useControl } from "./sandbox-control.ts";

interface Session {
  id: string;
  status: string | null;
  mode: string;
  amount_total: number | null;
  currency: string | null;
  /** Unix seconds. */
  created: number;
  url: string | null;
}

const LOOK_MS = 2000;
const SHOWN = 8;

export function OpenCheckouts(): ReactNode {
  const [chosen, setChosen] = useState<string>();
  const read = useControl<{ data: { object: Session }[] }>("objects/checkout.session", { every: LOOK_MS });
  const pay = useAct((_api, id: string) => control(`checkout/${id}/pay`, {}), {
    done: "Paid with 4242 4242 4242 4242.",
  });
  return (
    <Loaded of={read} lines={3}>
      {({ data }) => {
        const open = data.map(({ object }) => object).filter(({ status }) => status === "open");
        return (
          <div className="bh-stack">
            <ErrorNote error={pay.error} />
            {open.length === 0 ? (
              <Empty title="Nobody is at a checkout">
                Begin one: <PageLink to="/dashboard/credits">purchase credits</PageLink>, or{" "}
                <PageLink to="/dashboard/subscription">subscribe</PageLink>, and come back before you pay.
              </Empty>
            ) : (
              <ul className="bh-checkouts" aria-label="Open checkouts">
                {open
                  .sort((one, other) => other.created - one.created)
                  .slice(0, SHOWN)
                  .map((session) => (
                    <OneCheckout
                      key={session.id}
                      session={session}
                      isBusy={pay.isPending && chosen === session.id}
                      pay={() => {
                        setChosen(session.id);
                        pay.mutate(session.id);
                      }}
                    />
                  ))}
              </ul>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function OneCheckout({ session, isBusy, pay }: { session: Session; isBusy: boolean; pay: () => void }): ReactNode {
  const { id, mode, amount_total: amount, currency, created, url } = session;
  return (
    <li>
      <span className="bh-checkout-mode">{wordOf(mode)}</span>
      <MoneyText amount={amount} currency={currency} />
      <IdText id={id} />
      <RelativeTime at={new Date(created * 1000).toISOString()} />
      <span className="bh-checkout-acts">
        {url !== null && (
          <a href={url} target="_blank" rel="noreferrer">
            Its page
          </a>
        )}
        <Button size="xs" variant="default" loading={isBusy} onClick={pay}>
          Pay it
        </Button>
      </span>
    </li>
  );
}

// Canceling a subscription at its period's end, and taking that back.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct, useOwnApi } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { ExactTime } from "../parts/relative-time.tsx";
import type { OwnSubscription } from "./subscription-page.tsx";

export function SubscriptionActions({ subscription }: { subscription: OwnSubscription }): ReactNode {
  const stops = subscription.cancel_at !== null || subscription.status === "paused";
  return stops ? <Resume subscription={subscription} /> : <Cancel subscription={subscription} />;
}

function Resume({ subscription: { id } }: { subscription: OwnSubscription }): ReactNode {
  const own = useOwnApi();
  const resume = useAct(() => own.post("/account/subscription/resume/", { body: { subscription_id: id } }), {
    done: "The subscription goes on.",
  });
  return (
    <>
      <ErrorNote error={resume.error} />
      <Button loading={resume.isPending} onClick={() => resume.mutate(undefined)}>
        Resume
      </Button>
    </>
  );
}

function Cancel({ subscription: { id, current_period_end: ends } }: { subscription: OwnSubscription }): ReactNode {
  const own = useOwnApi();
  const [isAsked, setAsked] = useState(false);
  const cancel = useAct(() => own.post("/account/subscription/cancel/", { body: { subscription_id: id } }), {
    done: "The subscription ends with its period.",
    then: () => setAsked(false),
  });
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Cancel the subscription
      </Button>
      <ConfirmDialog
        opened={isAsked}
        close={() => setAsked(false)}
        title="Cancel the subscription?"
        action="Cancel at the period’s end"
        dangerous
        run={() => cancel.mutate(undefined)}
        isPending={cancel.isPending}
        error={cancel.error}
      >
        It goes on until <ExactTime at={ends} />, then it ends and nothing more is charged. Until then you can resume
        it.
      </ConfirmDialog>
    </>
  );
}

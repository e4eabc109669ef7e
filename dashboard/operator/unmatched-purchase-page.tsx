// One unmatched purchase, and the decision about it: an account gets its credits, or nobody does.
import { Button, Group, Radio, TextInput } from "@mantine/core";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { ConfirmDialog } from "../parts/confirm-dialog.tsx";
import { ErrorNote, fieldError, otherError } from "../parts/error-note.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { useGo, usePathPart } from "../parts/page-link.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import type { Unmatched } from "./operator-reads.ts";
import { UnmatchedStatus } from "./unmatched-status.tsx";

import "./operator.css";

/** As it was filtered when this page was opened from it. */
function useListPath(): string {
  return `/operator/unmatched-purchases${useLocation().searchStr}`;
}

/** Why a person must decide, in words that help. */
const REASONS: Record<NonNullable<Unmatched["reason"]>, string> = {
  email_known: "An account has this address, which proves nothing: ask the buyer.",
  no_buyer: "Nobody here has this address.",
  no_email: "The payment names no address.",
  amount_differs: "Another sum or currency was paid than the pack costs.",
  pack_inactive: "The pack is no longer sold.",
  older_than_pack: "It was paid before the price was known here.",
  other_items: "Other things than credits were bought with it.",
  session_missing: "Stripe does not know the session.",
};

export default function UnmatchedPurchasePage(): ReactNode {
  const id = usePathPart("id");
  const purchase = useRead(["unmatched-purchase", id], (api, signal) =>
    api.get("/api/v1/admin/unmatched-purchases/{id}/", { params: { path: { id } }, signal }),
  );
  const list = useListPath();
  const found = purchase.data;
  return (
    <>
      <PageHeader
        title={found === undefined ? "Whose payment is this?" : (found.email ?? found.name ?? found.session_id)}
        crumbs={[{ label: "Unmatched purchases", to: list }]}
        beside={found !== undefined && <UnmatchedStatus of={found} />}
      >
        <IdText id={id} whole />
      </PageHeader>
      <Loaded
        of={purchase}
        lines={10}
        absent={<Empty title="There is no such purchase">Check the id, or find it in the list.</Empty>}
      >
        {(shown) => (
          <>
            <Facts purchase={shown} />
            {shown.status === "open" && (
              <Section title="Whose payment is this?">
                <Decide purchase={shown} />
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Facts({ purchase }: { purchase: Unmatched }): ReactNode {
  const { reason, email, name, stripe_account: account, currency, lines } = purchase;
  return (
    <KeyValue
      facts={[
        ["Why it is here", reason === null ? undefined : REASONS[reason]],
        ["Paid by", [name, email].filter((one) => one !== null).join(", ")],
        ["Paid", <MoneyText key="paid" amount={purchase.amount_total} currency={currency} />],
        ["Credits", <Figure key="credits" value={purchase.credits} />],
        [
          "Bought",
          lines === null
            ? undefined
            : lines.map(({ quantity, description }) => `${quantity} × ${description ?? "?"}`).join(", "),
        ],
        ["Session", <LinkedId key="session" id={purchase.session_id} account={account} />],
        ["Tenant", <LinkedId key="tenant" id={purchase.tenant_id} />],
        ["Decided for", purchase.account_id === null ? undefined : <LinkedId key="for" id={purchase.account_id} />],
        ["Purchase", purchase.purchase_id === null ? undefined : <LinkedId key="pur" id={purchase.purchase_id} />],
      ]}
    />
  );
}

function Decide({ purchase }: { purchase: Unmatched }): ReactNode {
  const go = useGo();
  const list = useListPath();
  const leave = (): void => go(list, { replace: true });
  const { id, candidates, credits } = purchase;
  const [account, setAccount] = useState("");
  const [dismisses, setDismisses] = useState(false);
  const path = { path: { id } };
  const assign = useAct(
    (api, account_id: string) =>
      api.post("/api/v1/admin/unmatched-purchases/{id}/assign/", { params: path, body: { account_id } }),
    { done: "The credits are in the account.", then: leave },
  );
  const dismiss = useAct((api) => api.post("/api/v1/admin/unmatched-purchases/{id}/dismiss/", { params: path }), {
    done: "The payment brings no credits.",
    then: leave,
  });
  return (
    <form
      className="bh-stack bh-decision"
      onSubmit={(event) => {
        event.preventDefault();
        if (account.trim() !== "") assign.mutate(account.trim());
      }}
    >
      <Candidates candidates={candidates} value={account} change={setAccount} />
      <TextInput
        label="Account"
        description={`Of this tenant and mode. It gets ${credits === null ? "the" : credits.toLocaleString("en")} credits.`}
        placeholder="acc_…"
        value={account}
        onChange={({ currentTarget }) => setAccount(currentTarget.value)}
        error={fieldError(assign.error, "account_id")}
        required
      />
      <ErrorNote error={otherError(assign.error, ["account_id"])} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={() => setDismisses(true)}>
          Dismiss
        </Button>
        <Button type="submit" loading={assign.isPending}>
          Give the credits
        </Button>
      </Group>
      <ConfirmDialog
        opened={dismisses}
        close={() => setDismisses(false)}
        title="Dismiss this payment?"
        action="Dismiss"
        dangerous
        run={() => dismiss.mutate(undefined)}
        isPending={dismiss.isPending}
        error={dismiss.error}
      >
        Nobody gets credits for it. The money stays where it is: refund it at Stripe if it should go back.
      </ConfirmDialog>
    </form>
  );
}

interface CandidatesProps {
  candidates: Unmatched["candidates"];
  value: string;
  change: (account: string) => void;
}

function Candidates({ candidates, value, change }: CandidatesProps): ReactNode {
  if (candidates.length === 0) return null;
  return (
    <Radio.Group label="Accounts with this address" value={value} onChange={change}>
      <div className="bh-stack bh-choices">
        {candidates.map(({ account_id: id, email_verified: verified }) => (
          <Radio
            key={id}
            value={id}
            label={id}
            description={
              verified === null
                ? "Nobody signs in to it"
                : wordOf(verified ? "address verified" : "address not verified")
            }
          />
        ))}
      </div>
    </Radio.Group>
  );
}

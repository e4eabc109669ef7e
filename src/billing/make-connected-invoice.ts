// Making a connected-account invoice at Stripe, step by step, each written down: whoever goes on with it makes no second one.
import { backoff } from "../base/backoff.ts";
import {
  type ConnectedInvoice,
  type Lease,
  nextStep,
  type Progress,
  type Step,
} from "../connections/connected-invoice.ts";
import { customerMadeBefore, recordProgress } from "../connections/connected-invoice-table.ts";
import { isConnected } from "../connections/connection-table.ts";
import { type FetchedObject, observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { StripeError } from "../stripe/client.ts";
import {
  addItem,
  countItems,
  createCustomer,
  createDraft,
  deleteDraft,
  finalizeInvoice,
  lookUpInvoice,
  observationOf,
  sendInvoice,
  type StripeInvoice,
} from "./invoice-calls.ts";
import { type ResumableContext, STEP_LEASE_SECONDS } from "./resumable.ts";

/** Stripe keeps idempotency keys for 24 hours: after this nothing is asked for under them any more. */
const KEYS_HOLD_SECONDS = 23 * 3600;
const BACKOFF = { first: 10_000, factor: 3, max: 3_600_000, jitter: 0.2 };

export interface MakingOptions {
  lease: string;
  /** Somebody waits for it, so many milliseconds at most; undefined: nobody does. */
  awaited?: number | undefined;
}

export interface Made {
  /** later: it goes on by itself · lost: somebody else goes on with it */
  outcome: "made" | "later" | "refused" | "abandoned" | "lost";
  invoice: ConnectedInvoice;
  /** Why Stripe refused it. */
  failure?: StripeCallError;
}

/**
 * Goes on with an invoice that the caller holds the lease of, until it is made or given up, or Stripe does not answer. Where
 * somebody waits, the caller has seen that its account is the tenant's.
 */
export async function makeConnectedInvoice(
  making: ResumableContext,
  claimed: ConnectedInvoice,
  options: MakingOptions,
): Promise<Made> {
  const started = making.clock.monotonic();
  const made = await new OneMaking(making, claimed, options).run();
  const { invoice, outcome, failure } = made;
  making.log.unit("connected_invoice.attempted", {
    object: "connected_invoice",
    object_id: invoice.id,
    tenant: invoice.tenantId,
    stripe_account: invoice.account,
    livemode: invoice.livemode,
    attempt: invoice.attempts,
    outcome,
    code: failure?.code,
    stripe_request: failure?.stripeRequestId,
    duration_ms: Math.round(making.clock.monotonic() - started),
  });
  return made;
}

/** Another one holds the lease now, and goes on. */
class LeaseLost extends Error {}

class OneMaking {
  readonly #making: ResumableContext;
  readonly #lease: Lease;
  readonly #awaited: number | undefined;
  readonly #started: number;
  #invoice: ConnectedInvoice;
  #failure: StripeCallError | undefined;
  /** The draft was compared with what is there, once in this run. */
  #compared = false;

  constructor(making: ResumableContext, invoice: ConnectedInvoice, { lease, awaited }: MakingOptions) {
    this.#making = making;
    this.#lease = { name: lease, seconds: STEP_LEASE_SECONDS };
    this.#awaited = awaited;
    this.#started = making.clock.monotonic();
    this.#invoice = invoice;
  }

  async run(): Promise<Made> {
    try {
      const late = this.#invoice.stage === "making" && this.#invoice.age > KEYS_HOLD_SECONDS;
      // A request has looked, in its tenant's scope.
      const connected = this.#awaited !== undefined || (await isConnected(this.#making.database, this.#invoice));
      if (!connected) await this.#leave();
      else if (late) await this.#attempt(() => this.#conclude());
      for (let step = nextStep(this.#invoice); step !== undefined; step = nextStep(this.#invoice)) {
        const next = step;
        if (this.#invoice.lease === null) return this.#ended("later");
        if (this.#isOverdue()) return await this.#putOff(0);
        await this.#attempt(() => this.#take(next), next);
      }
      const { stage } = this.#invoice;
      return this.#ended(stage === "made" ? "made" : stage === "refused" ? "refused" : "abandoned");
    } catch (error) {
      if (error instanceof LeaseLost) return this.#ended("lost");
      throw error;
    }
  }

  #ended(outcome: Made["outcome"]): Made {
    const refusing = this.#invoice.stage === "refusing" ? "refused" : outcome;
    const failure = this.#failure === undefined ? {} : { failure: this.#failure };
    return { outcome: refusing, invoice: this.#invoice, ...failure };
  }

  #isOverdue(): boolean {
    return this.#awaited !== undefined && this.#making.clock.monotonic() - this.#started > this.#awaited;
  }

  get #patience(): "request" | "background" {
    return this.#awaited === undefined ? "background" : "request";
  }

  async #attempt(work: () => Promise<void>, step?: Step): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StripeCallError)) throw error;
      // What hinders the draft's removal is not why it goes.
      if (step?.kind !== "discard") this.#failure = error;
      await this.#decide(error, step).catch(async (again: unknown) => {
        // Looking for what is there failed as well.
        if (!(again instanceof StripeCallError)) throw again;
        if (again.transient) await this.#putOff(this.#wait(again));
        else await this.#record({ stage: this.#givenUp("final"), error: again });
      });
    }
  }

  /** What a failed call means for the invoice. */
  async #decide(failure: StripeCallError, step: Step | undefined): Promise<void> {
    // Stripe answers this key with the same 500 for a day. What it did is looked for, and the rest asked for under new keys.
    if (isStoredFailure(failure) && !this.#compared && step !== undefined && step.kind !== "discard") {
      await this.#compare();
      await this.#record({ keyRound: this.#invoice.keyRound + 1 });
      return;
    }
    if (failure.transient) {
      await this.#putOff(this.#wait(failure), failure);
      return;
    }
    const kind = step?.kind;
    // It is there, and may be sent again by hand.
    if (kind === "send") return this.#record({ stage: "made", error: failure });
    // Nothing that could be removed: the record keeps why it had to go.
    if (kind === "discard") return this.#record({ stage: this.#givenUp("final") });
    if (kind === undefined || kind === "customer") {
      return this.#record({ stage: this.#givenUp("final"), error: failure });
    }
    if (kind === "invoice" && isMissingCustomer(failure) && !this.#invoice.customerMade) {
      return this.#record({ customer: { id: null, made: true } });
    }
    // Stripe may know more than we do: another process may have finalized it under our feet.
    await this.#compare();
    if (!this.#invoice.finalized) await this.#record({ stage: this.#givenUp("begun"), error: failure });
  }

  /** Told at once to who waits, else in the record. */
  #givenUp(how: "begun" | "final"): "refusing" | "refused" | "abandoning" | "abandoned" {
    const told = this.#awaited !== undefined || this.#invoice.stage === "refusing";
    if (how === "begun") return told ? "refusing" : "abandoning";
    return told ? "refused" : "abandoned";
  }

  #wait(failure: StripeCallError): number {
    return Math.max(failure.retryAfter ?? 0, backoff(Math.max(1, this.#invoice.attempts), BACKOFF) / 1000);
  }

  async #putOff(seconds: number, error?: StripeCallError): Promise<Made> {
    await this.#record({ putOff: seconds, ...(error === undefined ? {} : { error }) });
    return this.#ended("later");
  }

  async #take(step: Step): Promise<void> {
    const { stripe } = this.#making;
    const invoice = this.#invoice;
    switch (step.kind) {
      case "customer":
        return this.#findCustomer();
      case "invoice":
        return this.#recordInvoice(await createDraft(stripe, invoice, step.customer, this.#patience));
      case "item": {
        const { customer, invoice: draft, index, item } = step;
        await addItem(stripe, invoice, { customer, draft, index, item }, this.#patience);
        return this.#record({ itemsMade: index + 1 });
      }
      case "finalize":
        return this.#recordInvoice(await finalizeInvoice(stripe, invoice, step.invoice, this.#patience));
      case "send": {
        const sending = { stripeInvoiceId: step.invoice, occasion: "first" };
        return this.#recordInvoice(await sendInvoice(stripe, invoice, sending, this.#patience), { stage: "made" });
      }
      case "discard":
        return this.#discard();
    }
  }

  async #findCustomer(): Promise<void> {
    const { database, stripe } = this.#making;
    const before = this.#invoice.customerMade
      ? undefined
      : await database.transaction((tx) => customerMadeBefore(tx, this.#invoice));
    if (before !== undefined) return this.#record({ customer: { id: before, made: false } });
    const answer = await createCustomer(stripe, this.#invoice, this.#patience);
    return this.#record({ customer: { id: answer.value.id, made: true } }, [observationOf(this.#invoice, answer)]);
  }

  /** Brings the record to what Stripe has, whatever we were told of it. */
  async #compare(): Promise<void> {
    this.#compared = true;
    const found = await lookUpInvoice(this.#making.stripe, this.#invoice, this.#patience);
    if (found === undefined) return;
    const { id, status } = found.value;
    const counted =
      status === "draft" ? { itemsMade: await countItems(this.#making.stripe, this.#invoice, id, this.#patience) } : {};
    await this.#recordInvoice(found, counted);
  }

  /** A day has passed: what is there is taken as it is, and nothing more is asked for. */
  async #conclude(): Promise<void> {
    await this.#compare();
    const said = this.#invoice.errorMessage;
    if (this.#invoice.finalized) await this.#record({ stage: "made", error: MAYBE_UNSENT });
    else await this.#record({ stage: this.#givenUp("begun"), ...(said === null ? { error: TOO_LATE } : {}) });
  }

  /** The account was disconnected, and may be another tenant's by now: what is there stays as it is. */
  async #leave(): Promise<void> {
    this.#failure = new StripeCallError("stripe_not_connected", { transient: false, outage: false }, { message: LEFT });
    const { stage, finalized } = this.#invoice;
    const isThere = stage === "making" && finalized;
    await this.#record({ stage: isThere ? "made" : this.#givenUp("final"), error: this.#failure });
  }

  async #discard(): Promise<void> {
    const { stripe } = this.#making;
    const found = await lookUpInvoice(stripe, this.#invoice, this.#patience);
    const { id, status } = found?.value ?? {};
    if (found !== undefined && status !== "draft") return this.#recordInvoice(found, { stage: "making" });
    if (id !== undefined) await deleteDraft(stripe, this.#invoice, id, this.#patience);
    return this.#record({ stage: this.#invoice.stage === "refusing" ? "refused" : "abandoned" });
  }

  async #recordInvoice(answer: StripeAnswer<StripeInvoice>, more: Progress = {}): Promise<void> {
    const { value } = answer;
    const invoice = {
      id: value.id,
      finalized: value.status !== "draft",
      number: value.number,
      hostedInvoiceUrl: value.hosted_invoice_url ?? null,
      invoicePdf: value.invoice_pdf ?? null,
      dueAt: value.due_date,
    };
    await this.#record({ invoice, ...more }, [observationOf(this.#invoice, answer)]);
  }

  /** What a step came to, with what Stripe answered, in one commit. Throws LeaseLost. */
  async #record(progress: RecordedProgress, answers: readonly FetchedObject[] = []): Promise<void> {
    const { database, platformTenant, wake } = this.#making;
    const { error, ...rest } = progress;
    const stored = error === undefined ? {} : { error: toldOf(error) };
    this.#invoice = await database.transaction(async (tx) => {
      const recorded = await recordProgress(tx, this.#invoice, this.#lease, { ...rest, ...stored });
      if (recorded === undefined) throw new LeaseLost();
      await observe(tx, answers, platformTenant);
      return recorded;
    });
    if (answers.length > 0) wake();
  }
}

interface RecordedProgress extends Omit<Progress, "error"> {
  error?: StripeCallError | { code: string; message: string };
}

function toldOf(error: StripeCallError | { code: string; message: string }): NonNullable<Progress["error"]> {
  const stripeRequestId = error instanceof StripeCallError ? error.stripeRequestId : undefined;
  return { code: error.code, message: error.message, stripeRequestId };
}

const LEFT =
  "The Stripe account was disconnected before the invoice was made and sent: connect it again, and look at it.";
const MAYBE_UNSENT = {
  code: "stripe_unreachable",
  message: "The invoice was made, but perhaps not sent: send it again.",
};
const TOO_LATE = {
  code: "stripe_unreachable",
  message: "Stripe did not answer for a day, and nothing was made: create the invoice anew.",
};

/** Answered out of Stripe's store for this key: the call itself ended before, and nothing of it is on its way. */
function isStoredFailure({ cause, stripeStatus }: StripeCallError): boolean {
  if (stripeStatus === undefined || stripeStatus < 500 || !(cause instanceof StripeError)) return false;
  return cause.headers?.["idempotent-replayed"] === "true";
}

function isMissingCustomer({ cause }: StripeCallError): boolean {
  return cause instanceof StripeError && cause.param === "customer";
}

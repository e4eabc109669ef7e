// What the doctor looks at in this process, and the counts of the webhook door that it reads.
import type { Clock } from "./base/clock.ts";
import type { Log } from "./base/log.ts";
import type { Config, WebhookSecret } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { DoctorContext } from "./operations/doctor-check.ts";
import { type WebhookReceipts, webhookReceipts } from "./operations/doctor-receipts.ts";
import type { SigningSecret } from "./stripe/signature.ts";

interface ReceiptParts {
  database: Database;
  clock: Clock;
  log: Pick<Log, "warn">;
  webhookSecrets: readonly WebhookSecret[];
}

export function receiptsOf({ database, clock, log, webhookSecrets }: ReceiptParts): WebhookReceipts {
  return webhookReceipts({
    ...{ database, clock, secrets: webhookSecrets.map(signingSecret) },
    onError: (error) => {
      log.warn("how webhooks were met could not be written down: the doctor knows less", { error });
    },
  });
}

/** A command's own process receives nothing, and knows the secrets that are configured where it runs. */
export function doctorOf(
  config: Config,
  { receipts, webhookSecrets }: { receipts: WebhookReceipts; webhookSecrets: readonly WebhookSecret[] },
): Pick<DoctorContext, "config" | "webhookSecrets" | "flushReceipts"> {
  const secrets = webhookSecrets.length > 0 ? webhookSecrets : configuredSecrets(config);
  return { config, webhookSecrets: secrets.map(signingSecret), flushReceipts: () => receipts.flush() };
}

export function configuredSecrets({ webhookSecrets }: Config): readonly WebhookSecret[] {
  return webhookSecrets === "generate" ? [] : webhookSecrets;
}

export const signingSecret = ({ secret, variable }: WebhookSecret): SigningSecret => ({
  secret: secret.reveal(),
  name: variable,
});

// The settings as the doctor sees them: what is allowed, but is not safe where money is real. Pure.
import { join } from "node:path";

import type { Config } from "../config.ts";
import { check } from "./doctor-check.ts";
import type { Found } from "./doctor-report.ts";

export const settingsCheck = check({
  code: "settings",
  title: "Settings",
  needs: "nothing",
  look: ({ config }) => config,
  judge: judgeSettings,
});

/** Real money, or what is meant to be. */
const isSerious = ({ environment, stripeKeys }: Config): boolean =>
  environment === "production" || stripeKeys.live !== undefined;

/** A Stripe account of somebody's, in whichever mode; not a sandbox. */
export const hasRealStripe = ({ sandbox, stripeApiBase, stripeKeys }: Config): boolean =>
  sandbox === undefined &&
  stripeApiBase === undefined &&
  (stripeKeys.live !== undefined || stripeKeys.test !== undefined);

export function judgeSettings(config: Config): Found[] {
  return [
    ...config.warnings.map((problem): Found => ({
      code: "setting_ignored",
      subject: /^[A-Z_]+/.exec(problem)?.[0] ?? "",
      values: { problem },
    })),
    ...judgeAddresses(config),
    ...judgeSecrets(config),
    ...judgeOutbound(config),
    ...judgeMode(config),
  ];
}

function judgeMode(config: Config): Found[] {
  const { environment, stripeKeys, logLevel, allowUnsignedWebhooks, catchUpEverySeconds, mail } = config;
  const found: Found[] = [];
  if (stripeKeys.live !== undefined && environment !== "production")
    found.push({ code: "live_outside_production", subject: "NODE_ENV", values: { environment } });
  if (allowUnsignedWebhooks)
    found.push({ code: "unsigned_webhooks_allowed", subject: "STRIPE_WEBHOOK_ALLOW_UNSIGNED" });
  if (isSerious(config) && (logLevel === "debug" || logLevel === "trace"))
    found.push({ code: "log_level_debug", subject: "LOG_LEVEL", values: { level: logLevel } });
  if (isSerious(config) && mail === undefined) found.push({ code: "mails_kept", subject: "SMTP_URL" });
  if (catchUpEverySeconds === 0 && hasRealStripe(config))
    found.push({ code: "catch_up_off", subject: "CATCH_UP_EVERY_SECONDS" });
  return found;
}

function judgeAddresses(config: Config): Found[] {
  const { publicUrl, corsOrigins } = config;
  const found: Found[] = [];
  const url = new URL(publicUrl);
  if (isLoopback(url.hostname)) {
    if (hasRealStripe(config))
      found.push({ code: "public_url_local", subject: "PUBLIC_URL", values: { url: publicUrl } });
  } else if (url.protocol === "http:") {
    found.push({ code: "public_url_insecure", subject: "PUBLIC_URL", values: { url: publicUrl } });
  }
  for (const origin of isSerious(config) ? corsOrigins : []) {
    if (origin.startsWith("http:")) found.push({ code: "cors_insecure", subject: "CORS_ORIGINS", values: { origin } });
  }
  return found;
}

/** Shorter ones can be tried out. */
const LONG_ENOUGH = 32;

function judgeSecrets(config: Config): Found[] {
  const { operatorToken, secretKeys, dataDir } = config;
  const found: Found[] = [];
  const length = operatorToken?.reveal().length ?? LONG_ENOUGH;
  if (length < LONG_ENOUGH && isSerious(config))
    found.push({ code: "secret_short", subject: "OPERATOR_TOKEN", values: { variable: "OPERATOR_TOKEN", length } });
  if (!isSerious(config) && !hasRealStripe(config)) return found;
  const generated = [
    ...(secretKeys === "generate" ? [{ variable: "SECRET_KEY", path: join(dataDir, "secret-key") }] : []),
    ...(operatorToken === undefined ? [{ variable: "OPERATOR_TOKEN", path: join(dataDir, "operator-token") }] : []),
  ];
  for (const values of generated) found.push({ code: "secret_generated", subject: values.variable, values });
  return found;
}

function judgeOutbound({ webhookAllowedHosts }: Config): Found[] {
  const subject = "WEBHOOK_ALLOWED_HOSTS";
  const named = (hosts: Config["webhookAllowedHosts"]) => hosts.map(({ host, port }) => `${host}:${port}`).join(", ");
  const found: Found[] = [];
  if (webhookAllowedHosts.length > 0)
    found.push({ code: "webhook_hosts_allowed", subject, values: { hosts: named(webhookAllowedHosts) } });
  const plain = webhookAllowedHosts.filter((one) => one.plain);
  if (plain.length > 0) found.push({ code: "webhook_hosts_plain", subject, values: { hosts: named(plain) } });
  return found;
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host) || host.endsWith(".localhost");
}

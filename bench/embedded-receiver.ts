// Billhook on the embedded database with no worker, which `billhook serve` refuses: to measure a burst by itself. A process
// of its own, with the configuration, the log and the wiring of `serve`.
import { openApp } from "../src/app.ts";
import { Secret } from "../src/base/secret.ts";
import { openLogging } from "../src/cli/logging.ts";
import { loadConfig } from "../src/config.ts";

const config = loadConfig({ BILLHOOK_ROLES: "api" });
if (config.webhookSecrets === "generate") throw new Error("STRIPE_WEBHOOK_SECRET is not set");
const logging = openLogging({ level: config.logLevel, format: config.logFormat, file: config.logFile });
const app = await openApp(config, {
  log: logging.log,
  operatorToken: config.operatorToken ?? new Secret("bench-operator-token"),
  webhookSecrets: config.webhookSecrets,
  version: "bench",
});
await app.api.listen({ host: config.host, port: config.port });
process.on("SIGTERM", () => {
  void app.stop().then(() => {
    logging.close();
    process.exit(0);
  });
});

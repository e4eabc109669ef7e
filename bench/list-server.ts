// Billhook for `npm run bench:list`, with its tenant scopes or without, and no other difference. Prints its port when it listens.
// Environment: Billhook's own, and SCOPES, on or off. The owner is a superuser, whom row-level security does not bind.
import type { AddressInfo } from "node:net";

import { openApp } from "../src/app.ts";
import { poolShares } from "../src/app-database.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { loadConfig } from "../src/config.ts";
import type { Database } from "../src/db/database.ts";
import { openServer } from "../src/db/server.ts";

const config = loadConfig({ PORT: "0" }, { serving: false });
if (config.secretKeys === "generate" || config.databaseUrl === undefined) throw new Error("SECRET_KEY is not set");
const url = config.databaseUrl.reveal();
const app = await openApp(config, {
  ...{ log: silentLog, operatorToken: new Secret("bench-operator-token"), webhookSecrets: [], version: "bench" },
  secretKeys: config.secretKeys,
  ...(process.env.SCOPES === "off"
    ? { openApi: async () => withoutScopes(await openServer({ url, poolSize: poolShares(config).api })) }
    : {}),
});
await app.api.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`listening ${(app.api.server.address() as AddressInfo).port}\n`);
process.on("SIGTERM", () => {
  void app.stop().then(() => process.exit(0));
});

/** The scope's transaction without its first statement: the owner's, with the tenant in the statement's own condition. */
function withoutScopes(owner: Database): Database {
  return {
    ...owner,
    transaction: (work, options) =>
      owner.transaction(
        (tx) =>
          work({
            query: (statement) =>
              typeof statement !== "string" && statement.name === "enter_tenant_scope"
                ? Promise.resolve({ rows: [], rowCount: 0 })
                : tx.query(statement),
          }),
        options,
      ),
  };
}

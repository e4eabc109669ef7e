// `billhook serve`: its options. What it does is in serve.ts, which only this command loads: it is most of the code.
import type { Command } from "commander";

import { countArgument } from "./option-values.ts";

export interface ServeFlags {
  roles?: string;
  port?: number;
  host?: string;
  json?: true;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .summary("run the server")
    .description(
      "Migrates the database, answers HTTP and processes events, until SIGTERM or Ctrl-C.\n" +
        "SIGHUP opens LOG_FILE again; without LOG_FILE it ends the server, as when its terminal closes.",
    )
    .option("--roles <roles>", "what this process does: api, work or both (default: BILLHOOK_ROLES, else api,work)")
    .option("--port <port>", "the port to listen on (default: PORT, else 8000)", countArgument(0, 65_535))
    .option("--host <host>", "the address to listen on (default: HOST)")
    .option("--json", "log in JSON lines and print nothing else, as LOG_FORMAT=json")
    .action(async (flags: ServeFlags) => (await import("./serve.ts")).serve(flags));
}

// `billhook accounts show`: the accounts of an e-mail address, with their balances and newest purchases.
import { type Command, Option } from "commander";

import { EXIT, failed } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { print } from "./output.ts";
import { oneLine, pairs, table } from "./table.ts";
import type { Column, Row } from "./table.ts";

interface Flags {
  url?: string;
  json?: true;
  tenant?: string;
  livemode?: string;
}

export function addAccounts(program: Command): void {
  const accounts = program
    .command("accounts")
    .summary("show a customer's account")
    .description("Accounts: the customers of the platform and of tenants.");
  const show = accounts
    .command("show")
    .summary("show the accounts of an e-mail address")
    .description(
      "Shows every account of an e-mail address: its balance, its status and its newest purchases of credits.",
    )
    .argument("<email>", "the address, whole")
    .option("--tenant <id>", "only of this tenant")
    .addOption(new Option("--livemode <bool>", "only live or test accounts").choices(["true", "false"]));
  withCommon(show).action(showAccounts);
}

const COLUMNS: readonly Column[] = [
  { title: "CREATED", cell: (row) => row.created_at },
  { title: "PURCHASE", cell: (row) => row.id },
  { title: "PACK", cell: (row) => row.credit_pack },
  { title: "QUANTITY", cell: (row) => row.quantity },
  { title: "CREDITS", cell: (row) => row.credits },
  { title: "PRICE", cell: (row) => `${oneLine(row.price)} ${oneLine(row.currency)}` },
  { title: "STATE", cell: (row) => row.state },
];

async function showAccounts(email: string, { url, json, tenant, livemode }: Flags): Promise<void> {
  const answer = await throughDoor(url, (door) =>
    door.call("GET", "/accounts/", { query: { email, tenant, livemode } }),
  );
  const rows = rowsIn(answer.json, "data");
  if (json === true) print(answer.text);
  else if (rows.length > 0) print(rows.map(accountText).join("\n\n"));
  if (rows.length > 0) return;
  if (json !== true)
    throw failed("not_found", "No account", `There is no account with the address ${email}: check it.`);
  process.exitCode = EXIT.failed;
}

function accountText(row: Row): string {
  const { purchases: _purchases, ...fields } = row;
  const purchases = rowsIn(row, "purchases");
  const said = pairs(Object.entries(fields));
  return purchases.length === 0 ? `${said}\npurchases  none` : `${said}\n\n${table(COLUMNS, purchases)}`;
}

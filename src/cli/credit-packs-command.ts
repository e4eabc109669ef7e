// `billhook credit-packs list | sync`, and what `billhook plans` shares with it: rows, files and Stripe brought together.
import { type Command, Option } from "commander";

import { CommandFailure, EXIT, failed } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, rowsIn } from "./fields.ts";
import { badFile, type OfferFile, readOfferFile } from "./offer-file.ts";
import { throughDoor } from "./open-door.ts";
import type { OperatorDoor } from "./operator-door.ts";
import { countArgument } from "./option-values.ts";
import { note, print } from "./output.ts";
import { type Column, oneLine, type Row, table } from "./table.ts";

interface Common {
  url?: string;
  json?: true;
  tenant?: string;
  livemode?: string;
}

interface ListFlags extends Common {
  limit: number;
  cursor?: string;
}

interface SyncFlags extends Common {
  fromStripe?: true;
  dryRun?: true;
}

/** What the command is about. */
export interface OfferCommand {
  /** Of the address and of the command. */
  name: "credit-packs" | "plans";
  section: "credit_packs" | "plans";
  /** For people, in the plural. */
  what: string;
  columns: readonly Column[];
}

const PACKS: OfferCommand = {
  name: "credit-packs",
  section: "credit_packs",
  what: "credit packs",
  columns: [
    { title: "PACK", cell: (row) => row.id },
    { title: "KEY", cell: (row) => row.key },
    { title: "NAME", cell: (row) => row.name },
    { title: "CREDITS", cell: (row) => row.credits },
    { title: "PRICE", cell: (row) => `${oneLine(row.amount)} ${oneLine(row.currency)}` },
    { title: "ACTIVE", cell: (row) => row.active },
    { title: "STRIPE PRICE", cell: (row) => row.price_id },
    { title: "AT STRIPE", cell: standing },
  ],
};

export function addCreditPacks(program: Command): void {
  addOffers(program, PACKS);
}

export function addOffers(program: Command, offers: OfferCommand): void {
  const { name, what } = offers;
  const command = program
    .command(name)
    .summary(`list ${what}, and sync them with Stripe`)
    .description(`The ${what} of the platform or of a tenant, kept equal with Stripe's products and prices.`);
  const list = command
    .command("list")
    .summary(`list ${what}`)
    .description(`Lists ${what}, newest first, with what is different at Stripe.`)
    .option("--limit <n>", "how many", countArgument(1, 100), 20)
    .option("--cursor <cursor>", "go on where the page before ended");
  withCommon(withTenant(list, "of this tenant (default: the platform)")).action((flags: ListFlags) =>
    listOffers(offers, flags),
  );
  const sync = command
    .command("sync")
    .summary(`bring ${what} to Stripe, or from it`)
    .description(
      `Makes Stripe's products and prices what the ${what} say: those of a file (a list, each with its \`key\`), or else as\n` +
        "they are here. Another amount is another price, and the old one is archived. Run again it says that there is nothing\n" +
        `to do. With --from-stripe Stripe is right. What a file leaves out stays as it is; nothing is ever deleted.`,
    )
    .argument("[file]", "YAML or JSON")
    .option("--from-stripe", "Stripe is right: what it sells, marked by metadata, is written here")
    .option("--dry-run", "only say what would be done; exit code 1 when that is something");
  withCommon(withTenant(sync, "of this tenant; `all`: the platform and every connected one")).action(
    (file: string | undefined, flags: SyncFlags) => syncOffers(offers, file, flags),
  );
}

function withTenant(command: Command, help: string): Command {
  return command
    .option("--tenant <id>", help)
    .addOption(new Option("--livemode <bool>", "live or test (default: that of the key)").choices(["true", "false"]));
}

async function listOffers({ name, what, columns }: OfferCommand, { url, json, ...query }: ListFlags): Promise<void> {
  const page = await throughDoor(url, (door) => door.call("GET", `/${name}/`, { query: { ...query } }));
  if (json === true) {
    print(page.text);
    return;
  }
  const rows = rowsIn(page.json, "data");
  if (rows.length === 0) {
    note(`There are no ${what}.`);
    return;
  }
  print(table(columns, rows));
  for (const row of rows) {
    const different = Array.isArray(row.drift) ? row.drift.map(oneLine) : [];
    for (const one of different) note(`${oneLine(row.name)}: ${one}. \`billhook ${name} sync\` mends it.`);
    const { message } = asRow(row.sync_error);
    if (message !== undefined) note(`${oneLine(row.name)}: ${oneLine(message)}`);
  }
  const next = asRow(page.json).next_cursor;
  if (typeof next === "string") note(`There are more: --cursor ${next}`);
}

export function standing(row: Row): string {
  if (row.sync_error !== null) return "failed";
  if (row.sync_pending === true) return "waits";
  return Array.isArray(row.drift) && row.drift.length > 0 ? "different" : "equal";
}

async function syncOffers(offers: OfferCommand, path: string | undefined, flags: SyncFlags): Promise<void> {
  const { url, json, tenant, livemode, fromStripe, dryRun } = flags;
  const file = path === undefined ? undefined : await readOfferFile(path, offers.section);
  const body = {
    ...(tenant === undefined ? {} : { tenant }),
    ...(livemode === undefined ? {} : { livemode: livemode === "true" }),
    from_stripe: fromStripe === true,
    dry_run: dryRun === true,
    ...(file === undefined ? {} : { items: file.items }),
  };
  const answer = await throughDoor(url, (door) => asked(door, offers, body, path, file));
  const [actions, failures] = [rowsIn(answer.json, "actions"), rowsIn(answer.json, "failures")];
  if (json === true) print(answer.text);
  else actions.forEach((action) => print(actionText(action)));
  if (failures.length > 0) {
    const [first = {}] = failures;
    const others = failures.length === 1 ? "" : ` (and ${String(failures.length - 1)} more)`;
    const message = `${oneLine(first.name)}: ${oneLine(first.message)}${others} Run it again to go on.`;
    throw failed(oneLine(first.code), "Not all were brought to Stripe", message);
  }
  if (actions.length === 0 && json !== true) print("Nothing to do.");
  if (dryRun === true && actions.length > 0) {
    if (json !== true) note(`Nothing was changed: without --dry-run these ${String(actions.length)} steps are taken.`);
    process.exitCode = EXIT.failed;
  }
}

/** A refusal of the file names its line. */
async function asked(
  door: OperatorDoor,
  { name }: OfferCommand,
  body: object,
  path: string | undefined,
  file: OfferFile | undefined,
): ReturnType<OperatorDoor["call"]> {
  try {
    return await door.call("POST", `/${name}/sync/`, { body });
  } catch (error) {
    if (!(error instanceof CommandFailure) || path === undefined || file === undefined) throw error;
    const { param, message } = error.body;
    const line = param === undefined ? undefined : file.lineOf(param);
    if (line === undefined) throw error;
    throw badFile(path, line, message.replace(/\.$/, ""), error);
  }
}

function actionText({ at, name, key, tenant_id: tenant, livemode, action }: Row): string {
  const who = key === null ? oneLine(name) : oneLine(key);
  return `${oneLine(tenant)} ${livemode === true ? "live" : "test"}  ${who}  ${at === "stripe" ? "Stripe: " : ""}${oneLine(action)}`;
}

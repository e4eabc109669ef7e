// `billhook mails list | show | retry`: what was sent, what failed and why, and what was kept for want of a mail server.
import { type Command, Option } from "commander";

import { withCommon } from "./events-command.ts";
import { asRow, rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { countArgument } from "./option-values.ts";
import { note, print } from "./output.ts";
import { pairs, printable, table } from "./table.ts";
import type { Column } from "./table.ts";

interface Common {
  url?: string;
  json?: true;
}

interface ListFlags extends Common {
  status?: string;
  to?: string;
  template?: string;
  limit: number;
  cursor?: string;
}

const STATUSES = ["queued", "sent", "failed", "dropped", "kept"];

export function addMails(program: Command): void {
  const mails = program
    .command("mails")
    .summary("list, show and retry mails")
    .description("The mails to people. Without a mail server they are kept, and read here.");
  const list = mails
    .command("list")
    .summary("list mails, newest first")
    .description("Lists the mails, newest first.")
    .addOption(new Option("--status <status>", "what became of it").choices(STATUSES))
    .option("--to <address>", "to this address")
    .option("--template <name>", "of this kind, such as verify_address")
    .option("--limit <n>", "how many", countArgument(1, 100), 20)
    .option("--cursor <cursor>", "go on where the page before ended");
  withCommon(list).action(listMails);

  const show = mails
    .command("show")
    .summary("show one mail")
    .description("Shows one mail with its attempts, and the text of a kept one with its link.");
  withCommon(show.argument("<id>", "the mail's id, mail_…")).action(showMail);

  const retry = mails
    .command("retry")
    .summary("try a mail again")
    .description("Queues a mail that failed, or that was kept while there was no mail server, again.");
  withCommon(retry.argument("<id>", "the mail's id, mail_…")).action(retryMail);
}

const COLUMNS: readonly Column[] = [
  { title: "CREATED", cell: (row) => row.created_at },
  { title: "MAIL", cell: (row) => row.id },
  { title: "TEMPLATE", cell: (row) => row.template },
  { title: "TO", cell: (row) => row.to },
  { title: "STATUS", cell: (row) => row.status },
  { title: "ATTEMPTS", cell: (row) => row.attempts },
  { title: "LAST ANSWER", cell: (row) => row.last_answer },
];

async function listMails({ url, json, status, to, template, limit, cursor }: ListFlags): Promise<void> {
  const query = { status, to, template, limit, cursor };
  const page = await throughDoor(url, (door) => door.call("GET", "/mails/", { query }));
  if (json === true) {
    print(page.text);
    return;
  }
  const rows = rowsIn(page.json, "data");
  if (rows.length === 0) {
    note("No mails match.");
    return;
  }
  print(table(COLUMNS, rows));
  const next = asRow(page.json).next_cursor;
  if (typeof next === "string") note(`There are more: --cursor ${next}`);
}

const ATTEMPT_COLUMNS: readonly Column[] = [
  { title: "ATTEMPT", cell: (row) => row.attempt },
  { title: "AT", cell: (row) => row.at },
  { title: "OUTCOME", cell: (row) => row.outcome },
  { title: "ANSWER", cell: (row) => row.answer },
];

async function showMail(id: string, { url, json }: Common): Promise<void> {
  const mail = await throughDoor(url, (door) => door.call("GET", `/mails/${encodeURIComponent(id)}/`));
  if (json === true) {
    print(mail.text);
    return;
  }
  const row = asRow(mail.json);
  print(pairs(Object.entries(row).filter(([name]) => !["attempt_list", "content"].includes(name))));
  const attempts = rowsIn(row, "attempt_list");
  if (attempts.length > 0) print(`\n${table(ATTEMPT_COLUMNS, attempts)}`);
  const { subject, text } = asRow(row.content);
  if (typeof text === "string") print(`\n${printable(`${String(subject)}\n\n${text}`)}`);
  else note("Its text is not kept: only mails that were not sent for want of a mail server are read here.");
}

async function retryMail(id: string, { url, json }: Common): Promise<void> {
  await throughDoor(url, async (door) => {
    const answer = await door.call("POST", `/mails/${encodeURIComponent(id)}/retry/`);
    print(json === true ? answer.text : `${id} is queued again.`);
    if (door.queueWaits && json !== true) note("No server runs on it: it is sent at the next `billhook serve`.");
  });
}

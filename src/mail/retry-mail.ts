// An operator's second try for a mail that failed or was kept.
import { publicError } from "../base/errors.ts";
import type { Database } from "../db/database.ts";
import { hasOneTimeLink, isMailTemplate, lateAfter } from "./mail-fields.ts";
import { queueAgain } from "./mail-tables.ts";
import { readMail } from "./mailbox.ts";

/** Queues it for another round of attempts. Throws `not_found`, or `mail_not_retriable` with the reason. */
export async function retryMail(database: Database, id: string): Promise<void> {
  await database.transaction(async (tx) => {
    const mail = await readMail(tx, id, { oneTimeLinks: false });
    if (mail === undefined) throw publicError("not_found", { message: "There is no mail with this id: check it." });
    if (isMailTemplate(mail.template) && (await queueAgain(tx, id, lateAfter(mail.template)))) return;
    const isGone = mail.status === "failed" && hasOneTimeLink(mail.template);
    throw publicError("mail_not_retriable", {
      message: isGone
        ? "Its link was a person's key and is not kept after a failure: the person asks for a new one, or is invited again."
        : `Only a failed or a kept mail is tried again, and this one is ${mail.status}.`,
    });
  });
}

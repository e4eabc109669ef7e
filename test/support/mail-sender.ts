// A process that sends mails until it is killed: `mail-sender.ts <embedded folder or postgres URL> <SMTP port>`.
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { openEmbedded } from "../../src/db/embedded.ts";
import { openServer } from "../../src/db/server.ts";
import { sendOnce } from "../../src/mail/send-mail.ts";
import { smtpSender } from "../../src/mail/smtp.ts";

const [place = "", port = ""] = process.argv.slice(2);
const database = place.startsWith("postgres")
  ? await openServer({ url: place, poolSize: 2 })
  : await openEmbedded(place);
const sender = smtpSender({ from: "Billhook <billing@example.com>", host: "127.0.0.1", port: Number(port) });

while (true) {
  await sendOnce({
    database,
    clock: systemClock,
    log: silentLog,
    sender,
    leaseSeconds: 30,
    maxAttempts: 5,
    newLease: () => newId("node"),
    metrics: { attempted: () => undefined },
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
}

// `billhook send`: sends events from files, signed as Stripe signs them, also twice, shuffled, or as if new.
import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { randomBits } from "../base/random.ts";
import { Secret } from "../base/secret.ts";
import type { Config } from "../config.ts";
import { readCommandConfig } from "./command-config.ts";
import { EXIT, failed, misused } from "./command-failure.ts";
import { secretOf, sendEvents } from "./deliver-events.ts";
import type { SendOptions, SentEvent } from "./deliver-events.ts";
import { readEventFiles } from "./event-files.ts";
import type { EventToSend } from "./event-files.ts";
import { freshEvents } from "./fresh-events.ts";
import { countArgument } from "./option-values.ts";
import { note, print, printJson } from "./output.ts";
import { ensureWebhookSecrets } from "./secret-files.ts";
import { serverAddress } from "./server-address.ts";
import { shuffled } from "./shuffle.ts";
import { oneLine } from "./table.ts";

interface Flags {
  duplicate: number;
  shuffle?: true;
  seed?: number;
  concurrency: number;
  rate?: number;
  fresh?: true;
  url?: string;
  secret?: string;
  quiet?: true;
  json?: true;
}

const WEBHOOK_PATH = "/stripe/webhook/";

export function addSend(program: Command): void {
  program
    .command("send")
    .summary("send signed Stripe events from files or folders")
    .description(
      "Sends Stripe events to the server, each signed with the secret that it expects and a fresh time.\n" +
        "A file holds one event, an array or list of events, or one event a line. All files are checked before\n" +
        "anything is sent. Exit code 1 when an event was refused.",
    )
    .argument("<path...>", "files, or folders of .json, .jsonl and .ndjson files")
    .option("--duplicate <n>", "send every event <n> times", countArgument(1, 1000), 1)
    .option("--shuffle", "send in random order, duplicates included")
    .option("--seed <n>", "repeat the order of an earlier --shuffle", countArgument(0, 2 ** 32 - 1))
    .option("--concurrency <n>", "how many are on the way at once", countArgument(1, 1000), 8)
    .option("--rate <n>", "events a second at most", countArgument(1, 1_000_000))
    .option(
      "--fresh",
      "as if these events came now, of new objects: new ids, and times that end now; the objects keep their own times",
    )
    .option(
      "--url <url>",
      "the server, or a whole webhook address (default: BILLHOOK_URL, else the server of DATA_DIR)",
    )
    .option("--secret <whsec>", "sign with this secret (default: the configured or generated ones)")
    .option("--quiet", "print refused events and the summary only")
    .option("--json", "print one JSON object with every answer")
    .addHelpText("after", "\nExample:\n  billhook send examples/first-invoice --shuffle --duplicate 2")
    .action(send);
}

async function send(paths: string[], flags: Flags): Promise<void> {
  const { config, serverUrl } = readCommandConfig(flags.url);
  if (flags.seed !== undefined && flags.shuffle !== true) throw misused("--seed belongs to --shuffle: give both.");
  const url = webhookAddress(await serverAddress(config, serverUrl));
  const read = await readEventFiles(paths);
  const suffix = newId("obs").slice(-10);
  const events = flags.fresh === true ? freshEvents(read, suffix, Math.floor(systemClock.now() / 1000)) : read;
  const repeated = Array.from({ length: flags.duplicate }, () => events).flat();
  const seed = flags.shuffle === true ? (flags.seed ?? randomBits(4)) : undefined;
  const order = seed === undefined ? repeated : shuffled(repeated, seed);

  const answers: SentEvent[] = [];
  const started = systemClock.monotonic();
  await sendEvents(order, {
    url,
    secretFor: await secrets(config, flags.secret),
    concurrency: flags.concurrency,
    rate: flags.rate,
    clock: systemClock,
    onAnswer: (answer) => {
      answers.push(answer);
      if (flags.json !== true && (flags.quiet !== true || !isAccepted(answer))) print(answerLine(answer));
    },
  }).finally(() => {
    if (answers.length > 0 && answers.length < order.length)
      note(`${answers.length} of ${order.length} events were answered.`);
  });
  summarize({ answers, seed, url, seconds: (systemClock.monotonic() - started) / 1000, json: flags.json === true });
}

/** A server's address means its first webhook address; an address with a path is taken as it is. */
function webhookAddress(url: string): string {
  return new URL(url).pathname === "/" ? `${url}${WEBHOOK_PATH}` : url;
}

async function secrets(config: Config, given: string | undefined): Promise<SendOptions["secretFor"]> {
  if (given !== undefined) {
    if (given.trim() === "") throw misused("--secret is empty: give the endpoint's signing secret.");
    const secret = new Secret(given);
    return () => secret;
  }
  if (config.allowUnsignedWebhooks) return () => undefined;
  const known = config.webhookSecrets === "generate" ? await generated(config.dataDir) : config.webhookSecrets;
  return (event: EventToSend) => secretOf(event, known);
}

async function generated(dataDir: string): ReturnType<typeof ensureWebhookSecrets> {
  // Only read here: a new secret would be none that a server knows.
  if (existsSync(join(dataDir, "webhook-secrets.json"))) return ensureWebhookSecrets(dataDir);
  throw failed(
    "no_secret",
    "No signing secret",
    `There is no signing secret in ${dataDir}: start the server first, or give --secret, STRIPE_WEBHOOK_SECRET or DATA_DIR.`,
  );
}

function isAccepted(answer: SentEvent): boolean {
  return answer.status === 200;
}

function answerLine({ id, type, status, duration, reason }: SentEvent): string {
  return `${status}  ${id}  ${type}  ${duration} ms${reason === undefined ? "" : `  ${oneLine(reason)}`}`;
}

interface Summary {
  answers: readonly SentEvent[];
  seed: number | undefined;
  url: string;
  seconds: number;
  json: boolean;
}

function summarize({ answers, seed, url, seconds, json }: Summary): void {
  const accepted = answers.filter(isAccepted).length;
  const refused = answers.length - accepted;
  const rate = Math.round(answers.length / Math.max(seconds, 0.001));
  if (refused > 0) process.exitCode = EXIT.failed;
  if (json) {
    printJson({
      url,
      sent: answers.length,
      accepted,
      refused,
      seconds: Number(seconds.toFixed(3)),
      events_per_second: rate,
      seed: seed ?? null,
      answers: answers.map(({ id, type, status, duration, reason }) => ({
        id,
        type,
        status,
        duration_ms: duration,
        reason: reason ?? null,
      })),
    });
    return;
  }
  const order = seed === undefined ? "" : `, shuffled with --seed ${seed}`;
  print(`${answers.length} sent to ${url}: ${accepted} answered 200, ${refused} refused, ${rate} events/s${order}`);
}

// A webhook receiver: checks each signature, takes each event once, and prints it. Needs WEBHOOK_SECRET; PORT is 4000 unless set.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { verifyWebhook, WebhookError, type WebhookEvent } from "billhook/verify";

const { WEBHOOK_SECRET = "", PORT = "4000" } = process.env;
if (WEBHOOK_SECRET === "") throw new Error("set WEBHOOK_SECRET: Billhook shows it when an endpoint is made");
// Several by commas, while one is being replaced.
const secrets = WEBHOOK_SECRET.split(",");

/** Ids of what was taken. In an app: a unique column, written in the same transaction as what the event changes. */
const taken = new Set<string>();
const REMEMBERED = 10_000;

const MAX_BYTES = 1024 * 1024;

const server = createServer((request, response) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    (error: unknown) => {
      if (error instanceof WebhookError) console.log(`refused: ${error.message}`);
      else console.error(error);
      // 5xx: what this receiver could not keep is sent again.
      response.writeHead(error instanceof WebhookError ? 400 : 500).end();
    },
  );
});

async function receive(request: IncomingMessage): Promise<number> {
  if (request.method !== "POST") return 405;
  const body = await rawBody(request);
  if (body === undefined) return 413;
  const event = await verifyWebhook({ body, headers: request.headers, secret: secrets });
  // The body is signed in both schemes; the header `webhook-id` in one alone, and it may be missing in the other.
  const { id } = event;
  if (taken.has(id)) {
    console.log(`again: ${id}`);
    return 200;
  }
  apply(event);
  taken.add(id);
  const [oldest] = taken;
  if (taken.size > REMEMBERED && oldest !== undefined) taken.delete(oldest);
  return 200;
}

/** Where an app changes its own state. Events may come late and out of order: `created` says when it happened. */
function apply(event: WebhookEvent): void {
  console.log(`${new Date(event.created * 1000).toISOString()} ${event.type} ${event.id} ${event.tenant.company_name}`);
  console.log(JSON.stringify(event.data.object, null, 2));
}

/** As it came, which is what the signature is over; undefined: too large. */
async function rawBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

server.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`The receiver listens at http://localhost:${(server.address() as AddressInfo).port}/`);
});

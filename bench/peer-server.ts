// The peer as a server: @supabase/stripe-sync-engine behind the leanest HTTP server that Node has. A process of its own.
// Environment: DATABASE_URL, STRIPE_WEBHOOK_SECRET, PEER_POOL_SIZE. Prints its port when it listens.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

/** What the bench uses of the peer. Its own types are there only once bench/node_modules is installed. */
interface Peer {
  runMigrations: (options: { databaseUrl: string; schema: string }) => Promise<void>;
  StripeSync: new (options: {
    schema: string;
    poolConfig: { connectionString: string; max: number };
    stripeSecretKey: string;
    stripeWebhookSecret: string;
    autoExpandLists: boolean;
    backfillRelatedEntities: boolean;
  }) => { processWebhook(payload: Buffer, signature: string): Promise<void>; close(): Promise<void> };
}

const databaseUrl = setting("DATABASE_URL");
// The CJS build: the ESM one cannot find its own migrations.
const { StripeSync, runMigrations } = createRequire(import.meta.url)("@supabase/stripe-sync-engine") as Peer;
await runMigrations({ databaseUrl, schema: "stripe" });
const peer = new StripeSync({
  schema: "stripe",
  poolConfig: { connectionString: databaseUrl, max: Number(setting("PEER_POOL_SIZE")) },
  stripeSecretKey: "sk_test_never_used",
  stripeWebhookSecret: setting("STRIPE_WEBHOOK_SECRET"),
  // Both would call Stripe.
  autoExpandLists: false,
  backfillRelatedEntities: false,
});

const server = createServer((request, response) => {
  receive(request, response).catch((error: unknown) => {
    process.stderr.write(`peer: ${error instanceof Error ? error.message : String(error)}\n`);
    answer(response, 500, '{"error":"failed"}');
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`));
process.on("SIGTERM", () => {
  server.close(() => void peer.close().then(() => process.exit(0)));
  server.closeAllConnections();
});

/** The peer stores nothing but its rows: its answer comes after its upsert, so what is answered is projected. */
async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { "stripe-signature": signature = "" } = request.headers;
  await peer.processWebhook(await bodyOf(request), String(signature));
  answer(response, 200, '{"received":true}');
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

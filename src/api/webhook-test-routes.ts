// The route by which a tenant tries a webhook: one signed test event to one of its endpoints, now, and what came back.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { openSecrets, whatOpens } from "../outbox/endpoint-secrets.ts";
import { deliverySettings, findEndpoint, firstEndpoint } from "../outbox/endpoint-table.ts";
import { EVENT_API_VERSION } from "../outbox/event-objects.ts";
import { type Exchange, guardedPost, POST_HEADERS } from "../outbox/guarded-post.ts";
import { bodyOf } from "../outbox/webhook-body.ts";
import { signatureHeaders } from "../outbox/webhook-signature.ts";
import { scopeOf, tenantOf } from "./caller.ts";
import { mustSee } from "./endpoint-fields.ts";
import { id } from "./query-fields.ts";
import { type Call, ErrorAnswer, operation } from "./route.ts";
import { countAsTry } from "./tries.ts";

/** Shorter than a delivery's: somebody waits. */
const TIMEOUT_MS = 10_000;
/** Of what the receiver answered. */
const SHOWN_BYTES = 1024;

const EVENT_TYPE = /^[a-z\d_]+(\.[a-z\d_]+)*$/;

const Sent = z.strictObject({
  webhook_url: z.string(),
  status_code: z.int().nullable().meta({ description: "null: there was no answer." }),
  response_time_ms: z.int(),
  response_body: z.string().nullable().meta({ description: "Its first KiB." }),
  event_sent: z.record(z.string(), z.unknown()),
  request: z
    .strictObject({
      method: z.literal("POST"),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    })
    .meta({ description: "As it was sent, with the signatures. No secret is in it." }),
  response: z
    .strictObject({ status_code: z.int(), headers: z.record(z.string(), z.unknown()), body: z.string() })
    .nullable()
    .meta({ description: "null: there was no answer. Of its body the first KiB." }),
});

const TimedOut = ErrorAnswer.extend({ webhook_url: z.string() });

export const testWebhook = operation({
  tag: "Webhook endpoints",
  body: z
    .strictObject({
      event_type: z
        .string()
        .max(100)
        .regex(EVENT_TYPE, "must be words with dots between, such as `test.webhook`")
        .optional(),
      endpoint_id: id.optional().meta({ description: "Where it is sent. Default: the first endpoint." }),
      test_data: z.record(z.string(), z.unknown()).optional().meta({ description: "What `data.object` will be." }),
    })
    .nullish(),
  answers: {
    200: z.union([
      Sent.extend({ message: z.string(), success: z.literal(true) }),
      Sent.extend({ message: z.string(), success: z.literal(false), error: z.string() }),
    ]),
    408: TimedOut,
  },
  run: async (call) => {
    const { deps, body, caller, reply, requestId } = call;
    const { id: tenantId } = tenantOf(caller);
    // It makes this server send: a few a minute are enough to try, and too few to flood anybody.
    await countAsTry(call, "webhook_test", tenantId);
    const endpoint = await configuredEndpoint(call, tenantId, body?.endpoint_id);
    if (!whatOpens(deps.people.ring, endpoint).secret) throw unreadable(endpoint.id);
    const now = deps.clock.now();
    const event = testEvent({ now, type: body?.event_type, object: body?.test_data, ...endpoint });
    const signed = signatureHeaders({
      ...{ id: newId("msg"), timestamp: Math.floor(now / 1000), body: event },
      ...openSecrets(deps.people.ring, endpoint, now),
    });
    // Nobody else may be waiting for this connection.
    const headers = { ...POST_HEADERS, ...signed, connection: "close" };
    const exchange = await guardedPost({
      ...{ url: endpoint.url, headers, body: event },
      timeoutMs: TIMEOUT_MS,
      policy: deps.addressPolicy,
    });
    if (exchange.outcome === "failed" && exchange.code === "timeout") {
      reply.status(408);
      return { ...TIMED_OUT, webhook_url: endpoint.url, request_id: requestId };
    }
    return answerOf(exchange, sendingOf(endpoint.url, headers, event));
  },
});

/** The SECRET_KEY that sealed it is gone: nothing can be signed until there is another secret. */
const unreadable = (id: string) =>
  publicError("endpoint_disabled", {
    message: `Its secret cannot be read any more: rotate it with POST /api/v1/webhook-endpoints/${id}/rotate-secret/, and give the new one to the receiver.`,
  });

const TIMED_OUT = {
  error: "Webhook request timed out",
  code: "webhook_timed_out",
  message: `Your webhook endpoint did not respond within ${TIMEOUT_MS / 1000} seconds`,
};

/** Disabled or not: a test is how one sees that it works again. Throws `not_found`, `webhook_not_configured`. */
async function configuredEndpoint(
  call: Pick<Call<unknown, unknown, unknown>, "deps" | "caller">,
  tenantId: string,
  named: string | undefined,
) {
  const found = await scopeOf(call).transaction(async (tx) => {
    const endpoint =
      named === undefined
        ? await firstEndpoint(tx, tenantId)
        : mustSee(call.caller, await findEndpoint(tx, { tenantId, id: named }));
    return endpoint === undefined ? undefined : (await deliverySettings(tx, [endpoint.id]))[0];
  });
  if (found?.url === undefined || found.url === null) throw publicError("webhook_not_configured");
  return { ...found, url: found.url };
}

interface TestEvent {
  /** Milliseconds. */
  now: number;
  type: string | undefined;
  object: Record<string, unknown> | undefined;
  tenantId: string;
  companyName: string;
}

function testEvent({ now, type = "test.webhook", object, tenantId, companyName }: TestEvent): string {
  const created = new Date(now);
  const sample = { message: "This is a test webhook", timestamp: created.toISOString() };
  return bodyOf(
    {
      // The seconds with their fraction: never the id of an event that was kept.
      id: `evt_test_${(now / 1000).toFixed(3)}`,
      ...{ type, created, livemode: false, apiVersion: EVENT_API_VERSION },
      object: JSON.stringify(object ?? sample),
    },
    { id: tenantId, companyName },
  );
}

interface Sending {
  method: "POST";
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** With what the connection adds by itself: the receiver gets exactly these headers. */
function sendingOf(url: string, headers: Record<string, string>, body: string): Sending {
  const added = { host: new URL(url).host, "content-length": String(Buffer.byteLength(body)) };
  return { method: "POST", url, headers: { ...added, ...headers }, body };
}

function answerOf(exchange: Exchange, request: Sending) {
  const answered = exchange.outcome === "answered" ? exchange : undefined;
  const tried = {
    webhook_url: request.url,
    status_code: answered?.statusCode ?? null,
    response_time_ms: exchange.latencyMs,
    response_body: answered === undefined ? null : beginning(answered.body),
    event_sent: JSON.parse(request.body) as Record<string, unknown>,
    request,
    response:
      answered === undefined
        ? null
        : { status_code: answered.statusCode, headers: answered.headers, body: beginning(answered.body) },
  };
  const error = exchange.outcome === "failed" ? exchange.message : refusalOf(exchange.statusCode);
  if (error === undefined) return { message: "Test webhook sent successfully", ...tried, success: true };
  return { message: "The test webhook was not accepted", ...tried, success: false, error };
}

function refusalOf(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400
    ? `The receiver answered ${status}, and redirects are not followed: set the URL that it leads to.`
    : `The receiver answered ${status}: only 2xx counts as delivered.`;
}

/** Not in the middle of a character. */
function beginning(text: string): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, SHOWN_BYTES), { stream: true });
}

// docs/events.md: every type of event that tenants are told, out of the catalogue.
import { EVENT_API_VERSION, EVENT_OBJECTS, type EventObjectName } from "../src/outbox/event-objects.ts";
import { EVENT_TYPES } from "../src/outbox/event-types.ts";

const INTRODUCTION = `# Events

What tenants are told, by signed webhooks and by \`GET /api/v1/events/\`. Made from the catalogue in \`src/outbox\`; a
running process answers the same, with JSON Schemas, at \`GET /api/v1/event-types/\`.

\`\`\`json
{
  "id": "msg_06a1b2c3d4e5f6g7h8j9k0mnpq",
  "object": "event",
  "api_version": "${EVENT_API_VERSION}",
  "type": "invoice.paid",
  "created": 1795253400,
  "livemode": true,
  "data": { "object": { "id": "in_1SVx", "object": "invoice" } },
  "tenant": { "id": "ten_06a1b2c3d4e5f6g7h8j9k0mnpq", "company_name": "Example" }
}
\`\`\`

- **Once.** Each thing is told once, in the commit that learned of it, whatever came twice, late or in another order. A
  delivery may come twice all the same (an answer can be lost): the \`webhook-id\` header and \`id\` say that it is the same.
  (A test webhook is no event: its \`id\` begins with \`evt_test_\`, and is not its \`webhook-id\`.)
- **Order.** Events are told as we learn of them; \`created\` says when it happened. An endpoint with \`ordering: per_object\`
  gets those of one object one after another. What a recovery sends again comes behind what happens meanwhile: wait for
  its end, or tell by \`created\` which is the newer.
- **Updates coalesce.** \`*.updated\` is told when something that a reader may care for differs from what we knew, beside
  the event that names the change. Changes that are learned together are told together, in their last state.
  \`refund.updated\` and \`dispute.updated\` are told once for each status.
- **Shape.** \`data.object\` is ours, not Stripe's: the same whatever API version Stripe speaks. Amounts are whole minor units
  beside their \`currency\`, times ISO 8601 in UTC. Within one \`api_version\` fields may come, but none goes or changes.
- **Answer with 2xx alone.** A \`100 Continue\` or \`101\` before it, which Billhook does not ask for, is taken for a broken answer.
- **Since the connection.** Of a connected account nothing is told that happened before it became this tenant's.
- **Credits.** Every entry of the ledger is told but spends: your own request made those, and was answered.
- **Not told**, because another event says the same: charges and invoice payments of a payment, single capabilities and
  authorizations of a connected account.
`;

/** Markdown. */
export function eventReference(): string {
  const objects = Object.keys(EVENT_OBJECTS) as EventObjectName[];
  return [INTRODUCTION, ...objects.map(section)].join("\n");
}

function section(name: EventObjectName): string {
  const types = EVENT_TYPES.filter(({ object }) => object === name);
  const lines = types.map(({ type, description }) => `- \`${type}\`: ${description}`);
  const [first] = types;
  const example = JSON.stringify(first?.example ?? {}, null, 2);
  return `## ${name}\n\n${lines.join("\n")}\n\n\`\`\`json\n${example}\n\`\`\`\n`;
}

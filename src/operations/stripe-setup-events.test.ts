// The event types that endpoints are set up with, against the official SDK's list of what an endpoint may be sent.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { expect, it } from "vitest";

import { isHandled } from "../projections/registry.ts";
import { SETUP_EVENT_TYPES } from "./stripe-setup-events.ts";

const sdk = dirname(createRequire(import.meta.url).resolve("stripe"));
const declared = readFileSync(join(sdk, "resources/WebhookEndpoints.d.ts"), "utf8");
const union = /type EnabledEvent = ([^;]+);/.exec(declared)?.[1] ?? "";
const KNOWN = [...union.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? "");

it("an endpoint is set up with all types that Stripe sends and the code reads, and with no others", () => {
  expect(KNOWN.length).toBeGreaterThan(200);
  expect(SETUP_EVENT_TYPES).toEqual(KNOWN.filter((type) => type !== "*" && isHandled(type)).sort());
});

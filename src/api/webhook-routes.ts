// Stripe's webhooks as the reference shows them. The door itself is webhook-door.ts, which Fastify never runs.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { operation } from "./route.ts";

export const receiveWebhook = operation({
  tag: "Stripe webhooks",
  logged: "none",
  query: z.looseObject({}),
  answers: { 200: z.strictObject({ status: z.literal("success") }) },
  run: async () => {
    throw publicError("internal", { cause: new Error("a webhook reached the router") });
  },
});

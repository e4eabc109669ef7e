// The API reference: the OpenAPI document that is generated from the routes, and a page that lists it.
import { z } from "zod";

import { PAGE_POLICY, referencePage } from "./reference-page.ts";
import type { ReferenceDocument } from "./reference-page.ts";
import { operation } from "./route.ts";

export const openApi = operation({
  tag: "Reference",
  logged: "debug",
  answers: { 200: z.looseObject({ openapi: z.string() }) },
  run: async ({ reply }) => reply.server.swagger(),
});

export const apiReference = operation({
  tag: "Reference",
  logged: "debug",
  answers: { 200: { description: "A page for people.", contentType: "text/html" } },
  run: async ({ reply }) => {
    const page = referencePage(reply.server.swagger() as ReferenceDocument);
    return reply.type("text/html; charset=utf-8").header("content-security-policy", PAGE_POLICY).send(page);
  },
});

// The route that signs the operator in by the link that a start in development prints.
import { z } from "zod";

import { signInByLink } from "../tenants/sign-in-links.ts";
import { intoCookie, Session, sessionAnswer } from "./auth-routes.ts";
import { mailedToken } from "./people-fields.ts";
import { operation } from "./route.ts";
import { countAsTry } from "./tries.ts";

export const signInByLinkRoute = operation({
  tag: "People and sessions",
  body: z.strictObject({ token: mailedToken, cookie: intoCookie }),
  answers: { 200: Session },
  run: async (call) => {
    const { deps, body, caller } = call;
    await countAsTry(call, "token");
    const { token, cookie } = body;
    const { platformTenant } = deps;
    return sessionAnswer(call, await signInByLink(deps.people, { token, platformTenant }, caller.source), cookie);
  },
});

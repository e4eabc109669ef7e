// What every process that answers does beside: it writes when keys were used, and removes what has run out.
import type { FastifyInstance } from "fastify";

import { purgeStates } from "../connections/connect-states.ts";
import { purgePeople } from "../tenants/open-people.ts";
import { every } from "../work/schedule.ts";
import type { Schedule } from "../work/schedule.ts";
import type { ApiDependencies } from "./route.ts";

const KEY_USE_SECONDS = 5;
const RATES_SECONDS = 1;
const PURGE_SECONDS = 3600;

/** Begins when the server is ready, and ends before it has closed, with a last write. */
export function keepPeopleUp(
  app: FastifyInstance,
  { database, keyUse, people, rates, log, stopping }: ApiDependencies,
): void {
  const schedules: Schedule[] = [];
  const told = (what: string) => (error: unknown) => {
    if (!stopping()) log.warn(`background work failed: ${what}`, { error });
  };
  app.addHook("onReady", async () => {
    schedules.push(
      every(KEY_USE_SECONDS, () => keyUse.flush(), told("use of API keys")),
      every(RATES_SECONDS, async () => rates?.flush(), told("request rates")),
      every(PURGE_SECONDS, () => purgePeople(people), told("purge of people's tokens")),
      every(PURGE_SECONDS, () => purgeStates(database), told("purge of connect states")),
    );
  });
  app.addHook("onClose", async () => {
    await Promise.all(schedules.map((schedule) => schedule.stop()));
    await keyUse.flush().catch(told("use of API keys"));
  });
}

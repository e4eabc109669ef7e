// Several processes of Billhook on one database, as a proxy would see them; killed and started again while they serve.
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./free-port.ts";
import { serve, type Served } from "./serve.ts";

export type Role = "api" | "work";

export interface Nodes {
  /** Addresses of the API nodes; a killed one comes back on its own. */
  doors: readonly string[];
  kills: Record<Role, number>;
  /** Waits until each node serves. */
  ready(): Promise<void>;
  /**
   * Until each role was killed so often: kill -9 of one API node and of one worker, in turn, and a new process in its place.
   * A start costs two seconds of processor time, and on two cores the next one is not always up after a second: it is
   * killed a second after it came up, or with `evenIfNotUp` a second after the last kill.
   */
  killEachSecond(times: number, options?: { evenIfNotUp?: boolean }): Promise<void>;
  log(): string;
  /** SIGTERM to all: their exit codes. */
  stop(): Promise<(number | string)[]>;
}

interface Place {
  role: Role;
  env: Record<string, string>;
  served: Served;
}

/** Two of each role. */
export async function startNodes(env: Record<string, string>): Promise<Nodes> {
  const ended: Served[] = [];
  const start = async ({ role, env: own }: Pick<Place, "role" | "env">): Promise<Place> => ({
    ...{ role, env: own },
    served: await serve(own),
  });
  const places = await Promise.all(
    (["api", "api", "work", "work"] as const).map(async (role) =>
      start({ role, env: { ...env, BILLHOOK_ROLES: role, PORT: String(await freePort()) } }),
    ),
  );
  const kills = { api: 0, work: 0 };
  let stopping = false;
  const isStopping = (): boolean => stopping;
  const killInTurn = async (role: Role, times: number, evenIfNotUp: boolean): Promise<void> => {
    const mine = places.flatMap((place, index) => (place.role === role ? [index] : []));
    for (let kill = 0; kill < times; kill += 1) {
      const index = mine[kill % mine.length] ?? 0;
      const place = places[index];
      if (place === undefined || stopping) return;
      if (!evenIfNotUp) await place.served.ready();
      await sleep(1000);
      if (isStopping()) return;
      await place.served.end("SIGKILL");
      kills[role] += 1;
      ended.push(place.served);
      places[index] = await start(place);
    }
  };
  const log = (): string => [...ended, ...places.map(({ served }) => served)].map((served) => served.log()).join("");
  return {
    doors: places.filter(({ role }) => role === "api").map(({ served }) => served.url),
    kills,
    ready: async () => {
      await Promise.all(places.map(({ served }) => served.ready()));
    },
    killEachSecond: async (times, { evenIfNotUp = false } = {}) => {
      await Promise.all((["api", "work"] as const).map((role) => killInTurn(role, times, evenIfNotUp)));
    },
    log,
    stop: async () => {
      stopping = true;
      return Promise.all(places.map(({ served }) => served.end("SIGTERM")));
    },
  };
}

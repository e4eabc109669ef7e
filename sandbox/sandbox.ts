// A local Stripe: `startSandbox()` listens like api.stripe.com, keeps state, and sends webhooks.
import type { AddressInfo } from "node:net";

import { APPLICATION } from "./connect/connection.ts";
import { openJournal } from "./core/journal.ts";
import { NEWEST_VERSION } from "./core/kinds.ts";
import { World } from "./core/world.ts";
import { registerAnew, resendEvent } from "./delivery/control-endpoints.ts";
import { type DeliveryOptions, startDeliveries } from "./delivery/deliver.ts";
import { openDoor } from "./door/http-door.ts";
import { tick, tickThrough } from "./door/tick.ts";
import { openSurface } from "./registry.ts";
import { seedSmallWorld } from "./small-world.ts";

export interface SandboxOptions extends DeliveryOptions {
  /** 0 takes a free one. */
  port?: number;
  /** Default 127.0.0.1: nobody else's machine has business here. */
  host?: string;
  /** A folder to keep everything in; without one it is gone at the end. */
  folder?: string;
  /** Ids, secrets and chaos come out the same in every run with the same seed. */
  seed?: number;
  /** Unix seconds; the real time by default. */
  clock?: () => number;
  /** How often what falls due is looked for, in milliseconds. */
  tickMs?: number;
}

export interface EndpointRegistration {
  url: string;
  /** `whsec_…` */
  secret: string;
  /** For the events of connected accounts instead of the platform's own. */
  connect: boolean;
  /** The newest by default; `2020-08-27` gives the shapes from before basil. */
  api_version?: string;
  /** Thin events instead of snapshots. */
  thin?: boolean;
  /** Default false: events of test mode. */
  livemode?: boolean;
}

export interface Sandbox {
  /** `http://127.0.0.1:12111` */
  url: string;
  port: number;
  /** The newest API version, which its objects are kept in. */
  apiVersion: string;
  /** `ca_…` of the platform's own application, for OAuth; any other is taken too. */
  clientId: string;
  world: World;
  /**
   * Sends all events to these endpoints, each signed with its secret, and no longer to those of an earlier call: so a
   * program that starts on another port leaves no dead endpoint behind.
   */
  register(endpoints: readonly EndpointRegistration[]): void;
  /** Lets pages of these origins, such as `http://localhost:8000`, call the control endpoints; all others are refused. */
  letControl(origins: readonly string[]): void;
  /** Makes the small world, where it is not there yet. Returns the ids of the events that made it, the oldest first. */
  seed(): string[];
  /** Sends an event again to every endpoint that it is for. @throws StripeFailure when there is no such event */
  resend(event: string): void;
  /** True when nothing is left to deliver; false when the time is over first. */
  idle(timeoutMs?: number): Promise<boolean>;
  /** Does now what has fallen due on the real clock: renewals, expiries, payouts. */
  tick(): void;
  /** Ends deliveries that are on their way, and closes the file. */
  close(): Promise<void>;
}

/** @throws Error when the port is taken or the folder is in use, with a sentence that says so */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 12111, host = "127.0.0.1", folder, tickMs = 1000 } = options;
  const surface = openSurface();
  const journal = folder === undefined ? undefined : openJournal(folder);
  const world = new World({
    seed: options.seed,
    journal,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const controlOrigins = new Set<string>();
  const server = openDoor(world, surface, controlOrigins);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    journal?.close();
    throw new Error(listenProblem(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  const listening = (server.address() as AddressInfo).port;
  world.origin = `http://${reachable(host)}:${listening}`;
  const deliveries = startDeliveries(world, server, options);
  const ticker = setInterval(() => tickSafely(world), tickMs);
  return {
    url: world.origin,
    port: listening,
    apiVersion: NEWEST_VERSION,
    clientId: APPLICATION.id,
    world,
    register: (endpoints) => registerAnew(world, endpoints),
    letControl: (origins) => {
      for (const origin of origins) controlOrigins.add(origin);
    },
    seed: () => seedSmallWorld(world),
    resend: (event) => resendEvent(world, event),
    idle: (timeoutMs) => deliveries.idle(timeoutMs),
    tick: () => tickThrough(world),
    close: async () => {
      clearInterval(ticker);
      await deliveries.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      journal?.close();
    },
  };
}

function listenProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const what =
    code === "EADDRINUSE"
      ? `Port ${port} is taken, perhaps by another sandbox.`
      : `It cannot listen on ${host}:${port} (${message}).`;
  return `${what} Set SANDBOX_PORT to a free port, or to off for none, and SANDBOX_HOST to an address of this machine.`;
}

/** Who listens on every address is reached at its own. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** What breaks one tick is said, and the next one tries again. */
function tickSafely(world: World): void {
  try {
    tick(world);
  } catch (error) {
    process.stderr.write(
      `sandbox: what fell due could not be done: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
}

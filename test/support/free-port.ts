// Ports for the servers that tests start, which listen only seconds after their port was chosen.
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below those that systems give to outgoing connections and to whoever asks for any: in those seconds a test beside us may be
 * given one of them, and answer in our server's place.
 */
const FIRST = 12_000;
/** For each process of the test runner its own ones. */
const PORTS = 4_000;
const PROCESSES = 5;

const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % PROCESSES) * PORTS;
/** Another run on this machine begins elsewhere. */
let next = Math.floor(Math.random() * PORTS);

/** The next port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  for (let tries = PORTS; tries > 0; tries -= 1) {
    const port = first + next;
    next = (next + 1) % PORTS;
    if (await isFree(port)) return port;
  }
  throw new Error(`all ports from ${first} to ${first + PORTS - 1} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, "listening").then(
    () => true,
    () => false,
  );
  server.listen(port, "127.0.0.1");
  const free = await listening;
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

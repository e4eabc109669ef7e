// The node's watch over statuses, wired: commits of this node are heard at once, those of other nodes by NOTIFY.
import type { BackgroundParts } from "./app-background.ts";
import { newId } from "./base/ids.ts";
import { STATUS_OBJECTS } from "./billing/status-grants.ts";
import { type StatusWatch, statusWatch } from "./billing/status-watch.ts";
import { listener, notifier } from "./work/wake-ups.ts";

export interface NodeStatus {
  watch: StatusWatch;
  /** After a commit of the reducer on this node. */
  committed: (objects: readonly string[]) => void;
  stop(): Promise<void>;
}

export interface NodeStatusParts extends Pick<
  BackgroundParts,
  "config" | "clock" | "log" | "database" | "platformTenant" | "stripe" | "onError"
> {
  wake: () => void;
}

const CHANNEL = "billhook_status";
/** Objects of other kinds move no status. */
const WATCHED = new RegExp(
  `\\|(?:${[...Object.values(STATUS_OBJECTS), "invoice_payment"].join("|").replaceAll(".", "\\.")})\\|`,
);

export function nodeStatus(parts: NodeStatusParts): NodeStatus {
  const { config, database, onError } = parts;
  const watch = statusWatch(parts);
  const node = newId("node");
  const url = config.databaseDirectUrl;
  const others =
    database.kind === "server" && config.roles.includes("work")
      ? notifier(database, CHANNEL, onError("status notify"), node)
      : undefined;
  const heard = (sender?: string): void => {
    if (sender !== node) watch.changedElsewhere();
  };
  const listening =
    url !== undefined && config.roles.includes("api")
      ? listener(url.reveal(), CHANNEL, heard, onError("status listen"))
      : undefined;
  return {
    watch,
    committed: (objects) => {
      watch.changed(objects);
      if (objects.some((object) => WATCHED.test(object))) others?.notify();
    },
    stop: async () => {
      await others?.stop();
      await listening?.stop();
    },
  };
}

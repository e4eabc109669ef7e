// Variables that are not ours but were probably meant as one of ours. Pure.
import type { ConfigProblem } from "./base/config-error.ts";
import { isSlip, type NearMiss, nearMisses } from "./base/near-misses.ts";
import { CONFIG_VARIABLES } from "./config-variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const OURS: readonly string[] = CONFIG_VARIABLES.map(({ name }) => name);

/** Nobody else's variables begin so and are but for two letters one of ours. */
const OUR_PREFIXES =
  /^(STRIPE|SANDBOX|BILLHOOK|WORK|RECEIVE|DATABASE|OPERATOR|SECRET|CORS|TRUST|FRONTEND|SMTP|MAIL|MAILGUN|PAYMENT|WEBHOOK|EVENTS|DELIVERIES)_/i;

/** Of ours with a common beginning (LOG_, DATA_, NODE_, API_, …), where other programs' variables stand too, only slips of the pen. */
export function ourNearMisses(env: Environment): NearMiss[] {
  const names = Object.keys(env).filter((name) => isGiven(env[name]) && !OURS.includes(name));
  return [
    ...nearMisses(
      names.filter((name) => OUR_PREFIXES.test(name)),
      OURS,
    ),
    ...names
      .filter((name) => !OUR_PREFIXES.test(name))
      .flatMap((name) => {
        const meant = OURS.find((ours) => isSlip(name, ours));
        return meant === undefined ? [] : [{ name, meant }];
      }),
  ];
}

/** By somebody: Kubernetes sets WEBHOOK_PORT to `tcp://…` beside a service named webhook. */
function isGiven(value: string | undefined): boolean {
  return value !== undefined && !/^(tcp|udp|sctp):\/\//.test(value);
}

/** A near miss of a variable that is not set is taken for it. */
export function misspelt(env: Environment): ConfigProblem[] {
  return ourNearMisses(env)
    .filter(({ meant }) => env[meant] === undefined)
    .map(({ name, meant }) => ({ variable: name, problem: `there is no such variable: did you mean ${meant}?` }));
}

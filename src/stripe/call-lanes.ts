// Lanes: how many calls to Stripe run at once, in all and for one account, and how many wait. No account takes all of them.

export interface LanePlan {
  atOnce: number;
  perAccount: number;
  /** For the platform's own account, on which all tenants connect and all that the platform itself sells is sold. */
  platform: number;
  /** Calls that may wait for one account's turn, and for any. */
  waitingPerAccount: number;
  waiting: number;
}

export const LANE_PLAN: LanePlan = { atOnce: 32, perAccount: 4, platform: 16, waitingPerAccount: 32, waiting: 512 };

/** Gives the place back; the second time it does nothing. */
export type Leave = () => void;

export interface Lanes {
  /**
   * Resolves with a place for this account within so many milliseconds, in the order of asking; undefined: none came.
   * `isPlatforms`: it is the platform's own.
   */
  enter(account: string, milliseconds: number, isPlatforms?: boolean): Promise<Leave | undefined>;
  running(account: string): number;
}

interface Waiter {
  account: string;
  isPlatforms: boolean;
  enter: () => void;
}

export function callLanes(plan: LanePlan = LANE_PLAN): Lanes {
  const running = new Map<string, number>();
  const waiting: Waiter[] = [];
  let all = 0;
  const mayRun = ({ account, isPlatforms }: Pick<Waiter, "account" | "isPlatforms">): boolean =>
    all < plan.atOnce && (running.get(account) ?? 0) < (isPlatforms ? plan.platform : plan.perAccount);

  function take(account: string): Leave {
    all += 1;
    running.set(account, (running.get(account) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      all -= 1;
      const others = (running.get(account) ?? 1) - 1;
      if (others === 0) running.delete(account);
      else running.set(account, others);
      const next = waiting.findIndex(mayRun);
      if (next >= 0) waiting.splice(next, 1)[0]?.enter();
    };
  }

  return {
    running: (account) => running.get(account) ?? 0,
    enter: async (account, milliseconds, isPlatforms = false) => {
      if (mayRun({ account, isPlatforms })) return take(account);
      const beside = waiting.filter((waiter) => waiter.account === account).length;
      if (waiting.length >= plan.waiting || beside >= plan.waitingPerAccount) return undefined;
      return new Promise((resolve) => {
        const waiter: Waiter = {
          account,
          isPlatforms,
          enter: () => {
            clearTimeout(timer);
            resolve(take(account));
          },
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(waiter), 1);
          resolve(undefined);
        }, milliseconds);
        waiting.push(waiter);
      });
    },
  };
}

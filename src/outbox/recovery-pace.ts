// How fast a recovery begins deliveries: in steps, so many of them in a second that no second has more than it may. Pure.

export interface RecoveryPace {
  /** Deliveries of one step, at most. */
  most: number;
  /** Seconds from one step to the next. */
  rest: number;
}

/** A step may come a little sooner behind the one before than it should: that one took longer to commit. */
const MARGIN = 1.05;

/** Two steps a second, and more only where a step may not have as many. */
export function recoveryPace(perSecond: number, atOnce: number): RecoveryPace {
  const most = Math.max(1, Math.floor(perSecond / Math.max(2, Math.ceil(perSecond / atOnce))));
  return { most, rest: MARGIN / Math.floor(perSecond / most) };
}

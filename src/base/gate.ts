// A gate: so many at a time, the others wait in line, and who comes when the line is full is told so.

export interface Gate {
  /** Rejects with what `full` makes when the line is full. */
  pass<T>(work: () => Promise<T>): Promise<T>;
}

export function gate(options: { atOnce: number; waiting: number; full: () => Error }): Gate {
  let inside = 0;
  const line: (() => void)[] = [];
  return {
    pass: async (work) => {
      if (inside >= options.atOnce) {
        if (line.length >= options.waiting) throw options.full();
        // Whoever leaves hands over the place, so that nobody slips in between.
        await new Promise<void>((resolve) => line.push(resolve));
      } else inside += 1;
      try {
        return await work();
      } finally {
        const next = line.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}

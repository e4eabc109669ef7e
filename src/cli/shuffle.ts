// A shuffle that its seed repeats, for tests of the order of arrival. Not for secrets. Pure.

/** A new array, in an order that depends on the seed alone: sorted by drawn numbers (32-bit xorshift), ties by place. */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const next = numbersFrom(seed);
  return items
    .map((item) => ({ item, drawn: next() }))
    .sort((a, b) => a.drawn - b.drawn)
    .map(({ item }) => item);
}

function numbersFrom(seed: number): () => number {
  // Zero would stay zero for ever.
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

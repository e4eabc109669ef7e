// PostgreSQL's binary array format, so that a batch of rows travels as one parameter per column with nothing escaped or parsed.
// Source: the array_recv/array_send functions of PostgreSQL and the protocol's "binary" parameter format.

const OID = { boolean: 16, bigint: 20, text: 25 } as const;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/** A `text[]`. Strings must be valid and free of NUL (see base/text.ts); a Buffer is taken as UTF-8 as it stands. */
export function textArray(values: readonly (string | Buffer | null | undefined)[]): Buffer {
  let most = HEADER_BYTES;
  let nulls = 0;
  let exact = true;
  for (const value of values) {
    most += LENGTH_BYTES;
    if (value === null || value === undefined) nulls++;
    else if (typeof value === "string") {
      most += value.length * MOST_BYTES_PER_UNIT;
      exact = false;
    } else most += value.length;
  }
  const space = exact || most > scratch.length ? Buffer.allocUnsafe(most) : scratch;
  let at = writeHeader(space, OID.text, values.length, nulls);
  for (const value of values) {
    if (value === null || value === undefined) {
      at = writeInt32(space, -1, at);
      continue;
    }
    const start = at + LENGTH_BYTES;
    const end = typeof value === "string" ? writeText(space, value, start) : start + value.copy(space, start);
    writeInt32(space, end - start, at);
    at = end;
  }
  return taken(space, at);
}

/** A `bigint[]` of safe integers. */
export function bigintArray(values: readonly (number | null | undefined)[]): Buffer {
  return fixedArray(OID.bigint, 8, values, (space, value, at) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${String(value)}`);
    // Two's complement: the upper half rounded down, the lower one what is left.
    const upper = Math.floor(value / 2 ** 32);
    return writeInt32(space, value - upper * 2 ** 32, writeInt32(space, upper, at));
  });
}

/** A `boolean[]`. */
export function booleanArray(values: readonly (boolean | null | undefined)[]): Buffer {
  return fixedArray(OID.boolean, 1, values, (space, value, at) => {
    space[at] = value ? 1 : 0;
    return at + 1;
  });
}

/** An array of elements that all take as many bytes; `write` returns where the next one begins. */
function fixedArray<Value>(
  elementType: number,
  bytes: number,
  values: readonly (Value | null | undefined)[],
  write: (space: Buffer, value: Value, at: number) => number,
): Buffer {
  let size = HEADER_BYTES;
  let nulls = 0;
  for (const value of values) {
    const isNull = value === null || value === undefined;
    if (isNull) nulls++;
    size += LENGTH_BYTES + (isNull ? 0 : bytes);
  }
  const array = Buffer.allocUnsafe(size);
  let at = writeHeader(array, elementType, values.length, nulls);
  for (const value of values)
    at =
      value === null || value === undefined
        ? writeInt32(array, -1, at)
        : write(array, value, writeInt32(array, bytes, at));
  return array;
}

/** Dimensions, has-null flag, element type, then per dimension: length, lower bound. */
function writeHeader(space: Buffer, elementType: number, length: number, nulls: number): number {
  let at = writeInt32(space, 1, 0);
  at = writeInt32(space, nulls > 0 ? 1 : 0, at);
  at = writeInt32(space, elementType, at);
  at = writeInt32(space, length, at);
  return writeInt32(space, 1, at);
}

/** The low 32 bits of an integer. Buffer's own writers check ranges first, which took longer than the writing. */
function writeInt32(space: Buffer, value: number, at: number): number {
  space[at] = value >>> 24;
  space[at + 1] = value >>> 16;
  space[at + 2] = value >>> 8;
  space[at + 3] = value;
  return at + 4;
}

/** Of a UTF-16 unit; what lies beyond 16 bits has two units and four bytes. */
const MOST_BYTES_PER_UNIT = 3;
/** Up to here a loop over ASCII is faster than the call that encodes any text. */
const SHORT = 40;

function writeText(space: Buffer, text: string, at: number): number {
  if (text.length > SHORT) return at + space.write(text, at, "utf8");
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return at + space.write(text, at, "utf8");
    space[at + index] = unit;
  }
  return at + text.length;
}

/**
 * Where an array is laid out before its size is known: one buffer for each element, copied together, took twice as long.
 * Nothing waits while it lies there.
 */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);

/** What was written, in a buffer that is the caller's. */
function taken(space: Buffer, size: number): Buffer {
  return space === scratch ? Buffer.from(space.subarray(0, size)) : space.subarray(0, size);
}

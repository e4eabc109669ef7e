// PostgreSQL's binary array format, so that a batch of rows travels as one parameter per column with nothing escaped or parsed.
// Source: the array_recv/array_send functions of PostgreSQL and the protocol's "binary" parameter format.

const OID = { boolean: 16, bigint: 20, text: 25 } as const;
const HEADER_BYTES = 20;

type Element = Buffer | null;

/** A `text[]`. Strings must be valid and free of NUL (see base/text.ts); a Buffer is taken as UTF-8 as it stands. */
export function textArray(values: readonly (string | Buffer | null | undefined)[]): Buffer {
  return arrayOf(
    OID.text,
    values.map((value) =>
      value === null || value === undefined ? null : typeof value === "string" ? Buffer.from(value, "utf8") : value,
    ),
  );
}

/** A `bigint[]` of safe integers. */
export function bigintArray(values: readonly (number | null | undefined)[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  return arrayOf(
    OID.bigint,
    values.map((value, index) => {
      if (value === null || value === undefined) return null;
      if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${String(value)}`);
      const element = bytes.subarray(index * 8, index * 8 + 8);
      element.writeBigInt64BE(BigInt(value));
      return element;
    }),
  );
}

const TRUE = Buffer.from([1]);
const FALSE = Buffer.from([0]);

/** A `boolean[]`. */
export function booleanArray(values: readonly (boolean | null | undefined)[]): Buffer {
  return arrayOf(
    OID.boolean,
    values.map((value) => (value === null || value === undefined ? null : value ? TRUE : FALSE)),
  );
}

function arrayOf(elementType: number, elements: readonly Element[]): Buffer {
  let size = HEADER_BYTES;
  let nulls = 0;
  for (const element of elements) {
    size += 4 + (element?.length ?? 0);
    if (element === null) nulls++;
  }
  const array = Buffer.allocUnsafe(size);
  // dimensions, has-null flag, element type, then per dimension: length, lower bound
  let at = array.writeInt32BE(1, 0);
  at = array.writeInt32BE(nulls > 0 ? 1 : 0, at);
  at = array.writeInt32BE(elementType, at);
  at = array.writeInt32BE(elements.length, at);
  at = array.writeInt32BE(1, at);
  for (const element of elements) {
    at = array.writeInt32BE(element?.length ?? -1, at);
    if (element !== null) at += element.copy(array, at);
  }
  return array;
}

// Keeps V8 from spending 600 MB on one function of the embedded PostgreSQL: its SQL grammar.
import { setFlagsFromString } from "node:v8";

/** What is used here of PGlite's WebAssembly module. Both are PostgreSQL's own functions, by their C names. */
export interface ParserExports {
  _raw_parser?: (text: number, mode: number) => number;
  _scanner_init?: (text: number, extra: number, keywords: number, tokens: number) => number;
  stackSave(): number;
  stackRestore(pointer: number): number;
}

const BEYOND_MEMORY = -16;

/**
 * V8 compiles each function quickly at its first call, and again with optimisation when it proves hot. The grammar
 * (105 KB of code in one function, `raw_parser`) takes 600 MB for that (measured: peak 770 MB instead of 320), and is
 * hardly used once statements are prepared. The quick code asks for optimisation only if dynamic tiering was on when it
 * was made: so it is made here, with tiering off, by a call that fails before it does anything: a text that lies
 * outside the memory. `scanner_init` goes first because it would otherwise be left unoptimised with it.
 */
export function leaveParserUnoptimised(mod: ParserExports): void {
  const { _raw_parser: rawParser, _scanner_init: scannerInit } = mod;
  if (rawParser === undefined || scannerInit === undefined) return;
  const stack = mod.stackSave();
  failing(() => scannerInit(BEYOND_MEMORY, 0, 0, 0));
  setFlagsFromString("--no-wasm-tier-up");
  setFlagsFromString("--no-wasm-dynamic-tiering");
  failing(() => rawParser(BEYOND_MEMORY, 0));
  setFlagsFromString("--wasm-tier-up");
  setFlagsFromString("--wasm-dynamic-tiering");
  mod.stackRestore(stack);
}

function failing(call: () => number): void {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && error.name === "RuntimeError") return;
    throw error;
  }
  throw new Error("PGlite read beyond its memory; is it still the pinned version?");
}

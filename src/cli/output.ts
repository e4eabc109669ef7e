// What a command prints: its answer on stdout, as text or as JSON.

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Indented, for one answer that a person may read too. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** On one line, for answers that come one after the other. */
export function printJsonLine(value: unknown): void {
  print(JSON.stringify(value));
}

/** Beside the answer: what a person may want to know and a pipe must not get. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `billhook events list | head` is no failure, and a server outlives its reader: what nobody reads is not written. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

// What a small bench says: printed line by line, and kept under bench/results with its date, machine and command on `--save`.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export interface Saying {
  say: (line: string) => void;
  /** Writes what was said so far, when `--save` was given. */
  end: () => void;
}

export function saying(bench: string, title: string, save: boolean): Saying {
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    process.stdout.write(`${line}\n`);
  };
  const end = (): void => {
    if (!save) return;
    const [date, memoryGb] = [new Date().toISOString(), Math.round(totalmem() / 2 ** 30)];
    const folder = fileURLToPath(new URL("./results/", import.meta.url));
    const name = `${date.slice(0, 10)}-${String(cpus().length)}cpu-${String(memoryGb)}gb-${bench}.md`;
    const command = `node bench/${bench}.ts ${process.argv.slice(2).join(" ")}`;
    const machine = `${String(cpus().length)} × ${cpus()[0]?.model ?? "?"}, ${String(memoryGb)} GB, Node ${process.version}`;
    const text = `# ${title}\n\n${date}, ${machine}\n\n\`${command}\`\n\n\`\`\`text\n${lines.join("\n")}\n\`\`\`\n`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(folder + name, text);
    process.stdout.write(`saved as bench/results/${name}\n`);
  };
  return { say, end };
}

// Memory and processor time of a process and all of its children, as Linux counts them. Elsewhere unknown.
import { readFileSync } from "node:fs";

export interface Usage {
  /** Resident now. */
  residentMb: number;
  /** The most that was resident since the start; of several processes the sum of each one's most. */
  peakMb: number;
  /** Resident without files and shared memory: what a PostgreSQL takes beside its shared_buffers. */
  privateMb: number;
  /** Since the start, children that have ended included. */
  cpuSeconds: number;
}

/** Linux counts processor time in these, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage | undefined {
  const pids = tree(pid);
  if (pids.length === 0) return undefined;
  const total: Usage = { residentMb: 0, peakMb: 0, privateMb: 0, cpuSeconds: 0 };
  for (const one of pids) {
    const status = read(`/proc/${one}/status`);
    total.residentMb += megabytes(status, "VmRSS");
    total.peakMb += megabytes(status, "VmHWM");
    total.privateMb += megabytes(status, "RssAnon");
    total.cpuSeconds += cpuSeconds(read(`/proc/${one}/stat`));
  }
  return total;
}

/** Of all processors that the system counts, since its start: all of their time, and what the machine's neighbours took of it. */
export function processorTicks(): { all: number; stolen: number } | undefined {
  // user, nice, system, idle, iowait, irq, softirq, steal; guests' time is in the first two.
  const ticks = /^cpu +((?:\d+ ){7}\d+)/.exec(read("/proc/stat"))?.[1]?.split(" ").map(Number);
  if (ticks === undefined) return undefined;
  return { all: ticks.reduce((sum, one) => sum + one, 0), stolen: ticks[7] ?? 0 };
}

function tree(pid: number): number[] {
  if (read(`/proc/${pid}/status`) === "") return [];
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").map(Number);
  return [pid, ...children.filter((child) => child > 0).flatMap(tree)];
}

function megabytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
}

/** utime, stime, cutime and cstime: fields 14 to 17, counted behind the name in brackets, which may hold spaces. */
function cpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // the process has ended, or this is not Linux
  }
}

// The log set up: pino, pretty on a terminal and JSON elsewhere, and to LOG_FILE as well.
import { isatty } from "node:tty";

import { pino } from "pino";
import type { Logger } from "pino";
import { prettyFactory } from "pino-pretty";

import { ConfigError } from "../base/config-error.ts";
import { REDACTED_FIELDS, writtenFields } from "../base/log.ts";
import type { Log, LogFields, UnitName } from "../base/log.ts";
import type { LogFormat, LogLevel } from "../config-log.ts";
import { logToDescriptor, logToFile } from "./log-destination.ts";
import type { LogDestination } from "./log-destination.ts";

export interface LoggingOptions {
  level: LogLevel;
  /** `auto`: pretty when the descriptor is a terminal. */
  format: LogFormat;
  /** JSON lines go here too, whatever the format. */
  file?: string | undefined;
  /** 1 for `serve`; 2 for a command whose output is its answer. */
  descriptor?: 1 | 2;
  /** Instead of a descriptor, for tests. */
  terminal?: LogDestination;
}

export interface Logging {
  log: Log;
  /** For SIGHUP: opens LOG_FILE again. A failure is logged, and the old file kept. */
  reopen(): void;
  /** Writes what waits, now; also done when the process exits. */
  flush(): void;
  close(): void;
}

export function openLogging({
  level,
  format,
  file,
  descriptor = 1,
  terminal = logToDescriptor(descriptor),
}: LoggingOptions): Logging {
  const colorize = isatty(descriptor);
  const pretty = format === "pretty" || (format === "auto" && colorize);
  const prettify = pretty
    ? prettyFactory({
        colorize,
        ignore: "pid,hostname",
        singleLine: true,
        translateTime: "SYS:HH:MM:ss.l",
      })
    : undefined;
  const lines = file === undefined ? undefined : openLogFile(file);
  const destinations = lines === undefined ? [terminal] : [terminal, lines];
  const logger = pino(
    {
      level,
      redact: { paths: REDACTED_FIELDS, censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line: string) {
        terminal.write(prettify === undefined ? line : prettify(line));
        lines?.write(line);
      },
    },
  );
  const log = logOn(logger);
  const flush = (): void => destinations.forEach((destination) => destination.flush());
  process.on("exit", flush);
  return {
    log,
    flush,
    reopen() {
      try {
        lines?.reopen();
      } catch (error) {
        log.error("the log file could not be opened again: lines go on into the old one", { error });
      }
    },
    close() {
      process.off("exit", flush);
      destinations.forEach((destination) => destination.close());
    },
  };
}

function openLogFile(path: string): LogDestination {
  try {
    return logToFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const problem = `it cannot be opened (${why}): name a file, in a folder that this user may write.`;
    throw new ConfigError([{ variable: "LOG_FILE", problem }]);
  }
}

/** Opens LOG_FILE again at each SIGHUP; call it only when there is one, since a terminal that closes sends SIGHUP too. */
export function reopenOnHangup(logging: Logging): void {
  process.on("SIGHUP", () => logging.reopen());
}

function logOn(logger: Logger): Log {
  const line =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      if (logger.isLevelEnabled(level)) logger[level](writtenFields(fields), message);
    };
  const [info, error] = [line("info"), line("error")];
  return {
    unit: (name: UnitName, fields) => (fields.error === undefined ? info(name, fields) : error(name, fields)),
    debug: line("debug"),
    info,
    warn: line("warn"),
    error,
    with: (fields) => logOn(logger.child(writtenFields(fields))),
  };
}

// The settings of the log: how much of it, in which form, and where to.
import type { Variable } from "./base/settings.ts";
import { type LOG_FORMATS, type LOG_LEVELS, VARIABLES } from "./config-variables.ts";

export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogConfig {
  logLevel: LogLevel;
  logFormat: LogFormat;
  logFile: string | undefined;
}

type Read = <Value, Default>(variable: Variable<Value, Default>) => Value | Default;

export function logConfig(read: Read): LogConfig {
  return {
    logLevel: read(VARIABLES.logLevel),
    logFormat: read(VARIABLES.logFormat),
    logFile: read(VARIABLES.logFile),
  };
}

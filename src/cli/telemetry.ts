// OpenTelemetry's SDK, started before the app and only when OTEL_* asks for it; it reads its settings from OTEL_* itself.
import type { Environment } from "../config.ts";

export interface Telemetry {
  enabled: boolean;
  /** Sends what waits and stops, within three seconds: a collector that is gone must not hold up the stop. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_MS = 3000;

/** An endpoint or an exporter is named, and neither OTEL_SDK_DISABLED nor OTEL_TRACES_EXPORTER=none says no. */
export function wantsTelemetry(env: Environment): boolean {
  const value = (name: string): string => env[name]?.trim() ?? "";
  if (value("OTEL_SDK_DISABLED").toLowerCase() === "true" || value("OTEL_TRACES_EXPORTER") === "none") return false;
  return ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"].some(
    (name) => value(name) !== "",
  );
}

/**
 * Traces only: metrics are Prometheus's at /metrics, logs are pino's. Of the resource detectors only `env` and `host`,
 * because `process` would send the command line.
 */
export async function startTelemetry(env: Environment): Promise<Telemetry> {
  if (!wantsTelemetry(env)) return { enabled: false, shutdown: () => Promise.resolve() };
  const [{ NodeSDK }, resources] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/resources"),
  ]);
  const named =
    (env.OTEL_SERVICE_NAME ?? "") !== "" || /(^|,)\s*service\.name=/.test(env.OTEL_RESOURCE_ATTRIBUTES ?? "");
  const sdk = new NodeSDK({
    ...(named ? {} : { serviceName: "billhook" }),
    resourceDetectors: [
      resources.resourceAttributesEnvDetector,
      resources.serviceNameEnvDetector,
      resources.hostDetector,
    ],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return { enabled: true, shutdown: () => within(SHUTDOWN_MS, sdk.shutdown()) };
}

/** Resolves when `work` ends, however it ends, or when the time is up. What could not be sent is lost, as traces may be. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => undefined), timeUp]);
  clearTimeout(timer);
}

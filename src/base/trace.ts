// Spans by the OpenTelemetry API: without an SDK (src/cli/telemetry.ts) next to nothing.
import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";

import { describeError } from "./log.ts";

export type SpanAttributes = Record<string, string | number | boolean>;

const tracer = trace.getTracer("billhook");

/**
 * Runs `work` inside a span; what it throws is recorded on the span, scrubbed as for the log, and thrown on.
 * Spans started inside `work` are its children. Attributes follow the log's rule: ids, counts and outcomes only.
 */
export function traced<T>(name: string, attributes: SpanAttributes, work: (span: Span) => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      recordFailure(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks a span as failed, for a failure that is answered and not thrown. */
export function recordFailure(span: Span, error: unknown): void {
  if (!span.isRecording()) return;
  const { type, message, stack } = describeError(error);
  span.recordException({ name: type, message, ...(stack === undefined ? {} : { stack }) });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

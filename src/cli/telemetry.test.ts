// Traces against a collector on loopback.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { wantsTelemetry } from "./telemetry.ts";

interface Span {
  name: string;
  spanId: string;
  parentSpanId?: string;
  status: { code?: number };
  events: unknown[];
  attributes: { key: string }[];
}

interface Traces {
  resourceSpans: [
    {
      resource: { attributes: { key: string; value: { stringValue?: string } }[] };
      scopeSpans: { spans: Span[] }[];
    },
  ];
}

let collector: Server;
let received: { path: string | undefined; body: string }[];
let endpoint: string;

beforeEach(async () => {
  received = [];
  collector = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      received.push({ path: request.url, body });
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  collector.closeAllConnections();
  collector.close();
  await once(collector, "close");
});

/** A process that starts telemetry, does one unit of work with a failing part, and ends. */
async function run(env: Record<string, string>) {
  const base = JSON.stringify(join(import.meta.dirname, "../base/trace.ts"));
  const script = `
    import { startTelemetry } from ${JSON.stringify(join(import.meta.dirname, "telemetry.ts"))};
    const telemetry = await startTelemetry(process.env);
    const { traced } = await import(${base});
    const result = await traced("event.process", { "stripe.event": "evt_1" }, async () => {
      await traced("event.load", {}, async () => { throw new Error("no row for jane@example.com"); }).catch(() => undefined);
      return 42;
    });
    let due = Infinity;
    setTimeout(() => { due = performance.now(); }, 3000);
    await telemetry.shutdown();
    const late = Math.max(0, performance.now() - due);
    console.log(JSON.stringify({ enabled: telemetry.enabled, result, late }));
    process.exit(0);`;
  const running = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  running.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  running.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await once(running, "close");
  return { ...(JSON.parse(stdout) as { enabled: boolean; result: number; late: number }), stderr };
}

describe("telemetry", () => {
  it("spans reach the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, nested, with a scrubbed failure", async () => {
    const ended = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" });
    expect(ended).toMatchObject({ enabled: true, result: 42, stderr: "" });
    expect(received.map(({ path }) => path)).toEqual(["/v1/traces"]);
    const traces = JSON.parse(received[0]?.body ?? "") as Traces;
    const [{ resource, scopeSpans }] = traces.resourceSpans;
    const service = resource.attributes.find(({ key }) => key === "service.name");
    expect(service?.value.stringValue).toBe("billhook");
    const spans = scopeSpans.flatMap((scope) => scope.spans);
    const [outer, inner] = ["event.process", "event.load"].map((name) => spans.find((span) => span.name === name));
    expect(inner?.parentSpanId).toBe(outer?.spanId);
    expect(outer?.attributes.map(({ key }) => key)).toEqual(["stripe.event"]);
    expect([outer?.status.code ?? 0, inner?.status.code]).toEqual([0, 2]);
    expect(JSON.stringify(inner?.events)).toContain("no row for [email]");
    expect(received[0]?.body).not.toMatch(/jane|command_args/);
  });

  it("speaks the standard's default protocol, and takes the service name that is set", async () => {
    await run({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/traces`, OTEL_SERVICE_NAME: "my-billing" });
    expect(received.map(({ path }) => path)).toEqual(["/traces"]);
    expect(received[0]?.body).toContain("event.process");
    expect(received[0]?.body).toContain("my-billing");
  });

  it("is off, and sends nothing, unless OTEL_* asks for it", async () => {
    expect(await run({})).toMatchObject({ enabled: false, result: 42, stderr: "" });
    expect(wantsTelemetry({ OTEL_SERVICE_NAME: "x" })).toBe(false);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: " " })).toBe(false);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: "TRUE" })).toBe(false);
    expect(wantsTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "none" })).toBe(false);
    expect(wantsTelemetry({ OTEL_TRACES_EXPORTER: "otlp" })).toBe(true);
    expect(received).toEqual([]);
  });

  it("a collector that is gone or silent fails no work and holds up the stop by three seconds at most", async () => {
    collector.removeAllListeners("request");
    const [gone, silent] = await Promise.all([
      run({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }),
      run({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    ]);
    for (const { enabled, result } of [gone, silent]) expect([enabled, result]).toEqual([true, 42]);
    // Beside a timer of their own for the same time: a busy machine holds up both.
    expect(Math.max(gone.late, silent.late)).toBeLessThan(500);
  });
});

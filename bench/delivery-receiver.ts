// The bench's receiver of webhooks, in a process of its own: answers at once, and tells when what came. Or never answers.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceiverReport {
  /** `number` of each event's object, in the order of arrival. */
  numbers: number[];
  /** When each came: process.hrtime in milliseconds, which all processes of a Linux machine share. */
  at: number[];
}

let report: ReceiverReport = { numbers: [], at: [] };
const NUMBER = '"number":';

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    // Asks for more than any exchange waits.
    if (request.url === "/dead") return;
    const body = Buffer.concat(pieces);
    const from = body.indexOf(NUMBER) + NUMBER.length;
    report.numbers.push(Number.parseInt(body.toString("latin1", from, from + 12), 10));
    report.at.push(Number(process.hrtime.bigint()) / 1e6);
    if (request.url === "/slow") setTimeout(() => response.end("ok"), 3000);
    else response.end("ok");
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "0.0.0.0", () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on("message", (order: "count" | "take") => {
  if (order === "count") process.send?.({ count: report.numbers.length });
  else {
    process.send?.(report);
    report = { numbers: [], at: [] };
  }
});
process.on("disconnect", () => process.exit());

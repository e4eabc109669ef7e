// A DNS server for tests, on a UDP port of loopback: it answers each question as it is told, also differently each time.
import { createSocket, type RemoteInfo } from "node:dgram";
import { isIP } from "node:net";

export interface DnsServer {
  /** As resolvers take it. */
  address: string;
  /** The names that were asked, with the type of record: `a.test A`. */
  asked: string[];
  close(): void;
}

/** The addresses of a name at its n-th question of this type (from 1); null: silence. */
export type DnsAnswers = (name: string, type: "A" | "AAAA", time: number) => readonly string[] | null;

export async function openDnsServer(answers: DnsAnswers): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(query);
    const question = `${name} ${type}`;
    asked.push(question);
    const found = answers(name, type, asked.filter((one) => one === question).length);
    if (found !== null) socket.send(answerTo(query, end, found), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => void socket.close() };
}

const HEAD_BYTES = 12;

function questionOf(query: Buffer): { name: string; type: "A" | "AAAA"; end: number } {
  const labels: string[] = [];
  let at = HEAD_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1) === 28 ? "AAAA" : "A", end: at + 5 };
}

/** One question, its answers with a time to live of zero, nothing else. */
function answerTo(query: Buffer, end: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(query.subarray(0, HEAD_BYTES));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(HEAD_BYTES, end), ...addresses.map(recordOf)]);
}

function recordOf(address: string): Buffer {
  const bytes =
    isIP(address) === 4 ? address.split(".").map(Number) : groupsOf(address).flatMap((g) => [g >> 8, g & 255]);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 + HEAD_BYTES, 0);
  head.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, Buffer.from(bytes)]);
}

/** The parser of URLs writes what is mapped in hexadecimal groups, and shortens: undone here. */
function groupsOf(address: string): number[] {
  const { hostname } = new URL(`http://[${address}]/`);
  const [left = "", right = ""] = hostname.slice(1, -1).split("::");
  const part = (text: string): number[] => (text === "" ? [] : text.split(":").map((group) => parseInt(group, 16)));
  const [first, last] = [part(left), part(right)];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

// CLIs that run `stripe listen`: their sessions, their websockets, and each event as the CLI wants it.
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

import { mayActFor } from "../connect/connection.ts";
import { type Destination, NEWEST_VERSION, PLATFORM_ACCOUNT, type Scope } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { eventBody } from "./event-body.ts";
import { deliveryHeaders, signatureHeader } from "./signature.ts";

const PROTOCOL = "stripecli-devproxy-v1";
export const SUBSCRIBE_PATH = "/v1/stripecli/subscribe/";
/** The close code for "a kind of data that cannot be accepted". */
const UNREADABLE = 1003;
/** A receiver's answer comes back whole; longer ones end the connection. */
const LARGEST_MESSAGE = 5 * 1024 * 1024;

export interface ListenSession {
  id: string;
  scope: Scope;
  /** `webhooks`: snapshot events; `v2_events`: thin ones. */
  features: readonly string[];
  secret: string;
}

interface Raised {
  scope: Scope;
  id: string;
  /** Whether the platform hears of it: asked when it is raised, as an account may leave with that very event. */
  isPlatforms: boolean;
}

export class Listeners {
  readonly #world: World;
  readonly #sessions = new Map<string, ListenSession>();
  readonly #sockets = new Map<WebSocket, ListenSession>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  #raised: Raised[] = [];
  #answers = { forwarded: 0, refused: 0 };

  constructor(world: World) {
    this.#world = world;
    world.onCommit(() => {
      if (this.#raised.length > 0) setImmediate(() => this.#sendRaised());
    });
  }

  open(session: ListenSession): void {
    this.#sessions.set(session.id, session);
  }

  /** How many listen now, and what their receivers answered so far. */
  counts(): { listening: number; forwarded: number; refused: number } {
    return { listening: this.#sockets.size, ...this.#answers };
  }

  /** The event is on its way to those who listen; it goes out when its transaction is kept. */
  noteRaised(tx: Transaction, id: string): void {
    if (this.#sockets.size === 0) return;
    const { scope } = tx;
    this.#raised.push({ scope, id, isPlatforms: scope.account === PLATFORM_ACCOUNT || mayActFor(tx, scope.account) });
  }

  /** A request to upgrade. Closes it when it is none of a session's. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const id = request.headers["websocket-id"];
    const session = typeof id === "string" ? this.#sessions.get(id) : undefined;
    if (session === undefined || request.url?.startsWith(SUBSCRIBE_PATH) !== true) {
      socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (websocket) => {
      this.#sockets.set(websocket, session);
      websocket.on("message", (message: Buffer) => {
        if (!this.#noteAnswer(message.toString("utf8"))) websocket.close(UNREADABLE);
      });
      websocket.once("close", () => this.#sockets.delete(websocket));
      // An error is followed by close, which is all that matters here.
      websocket.on("error", () => websocket.terminate());
    });
  }

  close(): void {
    for (const websocket of this.#sockets.keys()) websocket.terminate();
    this.#server.close();
  }

  /** False for what is no message of a CLI. */
  #noteAnswer(text: string): boolean {
    if (!text.trimStart().startsWith("{")) return false;
    let message: { type?: string; status?: number };
    try {
      message = JSON.parse(text) as typeof message;
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
    if (message.type !== "webhook_response") return true;
    const isTaken = message.status !== undefined && message.status >= 200 && message.status < 300;
    this.#answers[isTaken ? "forwarded" : "refused"] += 1;
    return true;
  }

  #sendRaised(): void {
    const raised = this.#raised;
    this.#raised = [];
    for (const each of raised) {
      for (const [websocket, session] of this.#sockets) {
        const isHis = session.scope.account === each.scope.account;
        const isPlatforms = each.isPlatforms && session.scope.account === PLATFORM_ACCOUNT;
        if (session.scope.livemode !== each.scope.livemode || !(isHis || isPlatforms)) continue;
        for (const message of this.#messages(session, each)) websocket.send(JSON.stringify(message));
      }
    }
  }

  /** None when the event's transaction was undone. */
  #messages(session: ListenSession, { scope, id }: Raised): object[] {
    return this.#world.run((tx) => {
      const event = tx.find("event", id);
      if (event === undefined) return [];
      const conversation = { webhook_id: `wh_${id}`, webhook_conversation_id: `wc_${randomBytes(12).toString("hex")}` };
      const signed = (to: Destination): { body: string; http_headers: Record<string, string> } => {
        const body = eventBody(tx, event, to, session.scope);
        const t = Math.floor(Date.now() / 1000);
        const signature = signatureHeader(body, [session.secret], { t, livemode: scope.livemode });
        return { body, http_headers: deliveryHeaders(signature) };
      };
      const messages: object[] = [];
      if (session.features.includes("webhooks")) {
        const { body, http_headers } = signed(listenDestination(false));
        // Once in the account's default version (null) and once in the latest: the CLI takes the one it was told to.
        for (const api_version of [null, NEWEST_VERSION]) {
          const endpoint = { api_version };
          messages.push({ type: "webhook_event", ...conversation, endpoint, event_payload: body, http_headers });
        }
      }
      if (session.features.includes("v2_events")) {
        const { body, http_headers } = signed(listenDestination(true));
        messages.push({ type: "v2_event", event_destination_id: `ed_${session.id}`, payload: body, http_headers });
      }
      return messages;
    }, scope);
  }
}

function listenDestination(isThin: boolean): Destination {
  return {
    url: "",
    enabled_events: ["*"],
    from: ["self", "accounts"],
    is_thin: isThin,
    api_version: null,
    is_enabled: true,
    secrets: [],
    v2: null,
  };
}

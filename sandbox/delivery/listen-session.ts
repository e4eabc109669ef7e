// The session that `stripe listen` opens: where its websocket is, and the secret that its events are signed with.
import { NEWEST_VERSION } from "../core/kinds.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { newSecret } from "./destination.ts";
import { SUBSCRIBE_PATH } from "./listeners.ts";
import { liveOf } from "./live.ts";

/** The `_extra` that keeps the secret: as at Stripe it stays the same from session to session. */
const KEPT_AS = "stripe_listen";
const RECONNECT_SECONDS = 10;

interface SessionParams {
  websocket_features?: readonly string[] | string;
}

export const listenRoutes: Route[] = [
  route<SessionParams>()("POST /v1/stripecli/sessions", (tx, { websocket_features = ["webhooks"] }) => {
    const features = typeof websocket_features === "string" ? [websocket_features] : websocket_features;
    const id = `cliws_${tx.world.random.text(24)}`;
    const secret = listenSecret(tx);
    liveOf(tx.world).listeners.open({ id, scope: tx.scope, features, secret });
    return {
      object: "stripecli_session",
      websocket_id: id,
      websocket_url: tx.world.origin.replace(/^http/, "ws") + SUBSCRIBE_PATH + tx.scope.account,
      websocket_authorized_feature: features[0] ?? "webhooks",
      secret,
      reconnect_delay: RECONNECT_SECONDS,
      default_version: NEWEST_VERSION,
      latest_version: NEWEST_VERSION,
      display_connect_filter_warning: false,
    };
  }),
];

function listenSecret(tx: Transaction): string {
  const kept = tx.find("_extra", KEPT_AS)?.secret;
  if (typeof kept === "string") return kept;
  const secret = newSecret(tx);
  tx.put("_extra", { id: KEPT_AS, object: "_extra", created: tx.world.now(), secret });
  return secret;
}

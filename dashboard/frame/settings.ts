// What the server says of itself in the page, before any request: its mode, its sandbox, and the nonce of this page's styles.

export interface Settings {
  product_name: string | null;
  /** The mode that is shown unless another one is chosen. */
  livemode: boolean;
  /** The local Stripe, while no Stripe key is set. */
  sandbox_url: string | null;
  version: string;
}

const meta = (name: string): HTMLMetaElement | null => document.querySelector(`meta[name="${name}"]`);

export const settings = JSON.parse(meta("billhook-settings")?.content ?? "{}") as Settings;

/** Browsers hide a nonce's attribute value from styles and scripts, but not a meta's. */
export const styleNonce = meta("billhook-nonce")?.content ?? "";

export const productName = settings.product_name ?? "Billhook";

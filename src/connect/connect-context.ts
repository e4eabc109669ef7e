// What connecting Stripe accounts works with.
import type { Clock } from "../base/clock.ts";
import type { ConnectMethod } from "../connections/connect-status.ts";
import type { Database } from "../db/database.ts";
import type { StripeAccess } from "../stripe/access.ts";

export interface ConnectSettings {
  /** Where the request names none. */
  method: ConnectMethod;
  /** ca_…, of each mode that has one. OAuth and deauthorising need it. */
  clientIds: { live?: string; test?: string };
  /** Where OAuth's pages are, without a slash at its end. */
  oauthBase: string;
}

export interface ConnectContext {
  /** The owner's: an account that Stripe says is connected may have been another tenant's. */
  database: Database;
  stripe: StripeAccess;
  clock: Clock;
  platformTenant: string;
  publicUrl: string;
  connect: ConnectSettings;
  /** Look at the queue now. */
  wake: () => void;
}

/** What somebody in a tenant is about to do in one mode. */
export interface TenantInMode {
  tenantId: string;
  livemode: boolean;
}

/** Where Stripe sends people back to, after OAuth and after an account link. */
export const callbackUrl = ({ publicUrl }: Pick<ConnectContext, "publicUrl">): string =>
  `${publicUrl}/api/v1/auth/tenants/stripe/callback/`;

/** Where Stripe sends people to whose account link was used or is too old. */
export const refreshUrl = ({ publicUrl }: Pick<ConnectContext, "publicUrl">): string =>
  `${publicUrl}/api/v1/auth/tenants/stripe/refresh/`;

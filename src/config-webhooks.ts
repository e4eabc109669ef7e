// The settings of what tenants are told: where webhooks may go, how many at a time, and how long it is all kept.
import type { HostAndPort, PortRange, Variable } from "./base/settings.ts";
import { type RetentionConfig, retentionConfig } from "./config-retention.ts";
import { VARIABLES } from "./config-variables.ts";

export interface WebhookConfig extends RetentionConfig {
  /** Receivers that the operator vouches for. */
  webhookAllowedHosts: readonly HostAndPort[];
  /** Undefined: 443, and from 1024 on those of no well-known service. */
  webhookPorts: readonly PortRange[] | undefined;
  /** Posts at the same time, in one process. */
  webhookConcurrency: number;
  /** Of them, those to one endpoint. */
  webhookEndpointConcurrency: number;
}

type Read = <Value, Default>(variable: Variable<Value, Default>) => Value | Default;

export function webhookConfig(read: Read): WebhookConfig {
  return {
    webhookAllowedHosts: read(VARIABLES.webhookAllowedHosts),
    webhookPorts: read(VARIABLES.webhookPorts),
    webhookConcurrency: read(VARIABLES.webhookConcurrency),
    webhookEndpointConcurrency: read(VARIABLES.webhookEndpointConcurrency),
    ...retentionConfig(read),
  };
}

// The body of a webhook. An event never changes, so each attempt has the same text but for the tenant's name as of then. Pure.

export interface ToldEvent {
  /** msg_… */
  id: string;
  type: string;
  created: Date;
  livemode: boolean;
  apiVersion: string;
  /** JSON: what `data.object` is. */
  object: string;
}

export interface ToldTenant {
  id: string;
  companyName: string;
}

/** `data.object` is put in as it was stored: it is neither parsed nor written anew. */
export function bodyOf(event: ToldEvent, tenant: ToldTenant): string {
  const head = {
    id: event.id,
    object: "event",
    api_version: event.apiVersion,
    type: event.type,
    created: Math.floor(event.created.getTime() / 1000),
    livemode: event.livemode,
  };
  const told = JSON.stringify({ id: tenant.id, company_name: tenant.companyName });
  return `${JSON.stringify(head).slice(0, -1)},"data":{"object":${event.object}},"tenant":${told}}`;
}

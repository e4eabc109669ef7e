// Whether a connected account lets our application in: the newest word of account.application.* events. Projection of table account_authorizations.
import { text } from "../stripe/read-values.ts";
import { fact, projection } from "./projection.ts";

const DEAUTHORIZED = "account.application.deauthorized";
const AUTHORIZED = "account.application.authorized";

// The event's object is the application (ca_…); who left is only in the event's `account`.
export const accountAuthorization = projection({
  objects: ["application"],
  table: "account_authorizations",
  columns: {
    account_id: "text",
    authorized: "boolean",
    changed_at: "time",
    name: "text",
  },
  row: (object, { type, account, created }) => ({
    // "" is the platform itself, which no such event is about.
    account_id: account === "" ? null : account,
    authorized: type === AUTHORIZED ? true : type === DEAUTHORIZED ? false : undefined,
    changed_at: created,
    name: text(object.name),
  }),
  facts: (_object, { id, type, account }) => [
    type === DEAUTHORIZED && fact("connected_account.deauthorized", account, id),
    type === AUTHORIZED && fact("connected_account.authorized", account, id),
  ],
  saidByType: true,
  tracked: ["authorized"],
});

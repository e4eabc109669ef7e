// The whole doctor on one page: every check, in the order in which it is made.
import type { Check } from "./doctor-check.ts";
import { databaseCheck, diskCheck, indexesCheck, migrationsCheck, scansCheck } from "./doctor-database.ts";
import { doorCheck, signaturesCheck } from "./doctor-door.ts";
import { endpointsCheck } from "./doctor-endpoints.ts";
import { mailsCheck, mailServerCheck } from "./doctor-mail.ts";
import { fetchesCheck, queueCheck, unroutedCheck } from "./doctor-processing.ts";
import { offersCheck, pricesCheck, purchasesCheck } from "./doctor-selling.ts";
import { settingsCheck } from "./doctor-settings.ts";
import { catchUpCheck, stripeCheck, undeliveredCheck } from "./doctor-stripe.ts";
import { accountsCheck, flowsCheck, receiversCheck } from "./doctor-tenants.ts";

export const CHECKS: readonly Check[] = [
  databaseCheck,
  migrationsCheck,
  indexesCheck,
  scansCheck,
  diskCheck,
  settingsCheck,
  stripeCheck,
  endpointsCheck,
  doorCheck,
  signaturesCheck,
  undeliveredCheck,
  catchUpCheck,
  queueCheck,
  unroutedCheck,
  fetchesCheck,
  accountsCheck,
  flowsCheck,
  receiversCheck,
  offersCheck,
  pricesCheck,
  purchasesCheck,
  mailServerCheck,
  mailsCheck,
];

-- Ids are compared as bytes, as the keys that they refer to: an index of another collation serves no join with those. Each of
-- these columns' indexes is built anew; the rows are not.
alter table charges alter column payment_intent_id type text collate "C", alter column invoice_id type text collate "C";
alter table checkout_sessions alter column payment_intent_id type text collate "C", alter column invoice_id type text collate "C";
alter table disputes alter column charge_id type text collate "C", alter column payment_intent_id type text collate "C";
alter table invoice_payments alter column invoice_id type text collate "C", alter column payment_intent_id type text collate "C",
  alter column charge_id type text collate "C";
alter table invoices alter column payment_intent_id type text collate "C", alter column charge_id type text collate "C";
alter table payment_intents alter column latest_charge_id type text collate "C", alter column invoice_id type text collate "C";
alter table refunds alter column charge_id type text collate "C", alter column payment_intent_id type text collate "C";
alter table subscriptions alter column latest_invoice_id type text collate "C";

-- As 0038.
alter table subscriptions
  alter column latest_invoice_id type text collate "C";
analyze subscriptions (latest_invoice_id);

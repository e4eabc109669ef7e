-- The time that an invoice's lines are for. Rows from before have it after `billhook rebuild`.
alter table invoices add column line_period_start timestamptz, add column line_period_end timestamptz;

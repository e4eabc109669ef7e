-- A tenant's connected invoices of one status, in the order of their list: of 100,000 all were read for a page. The status is the
-- one that is shown, as src/connections/connected-invoice-table.ts writes it.
create index connected_invoices_status on connected_invoices
  (tenant_id, livemode, (case when stage = 'abandoned' then 'void' else status end), created_at desc, id desc);

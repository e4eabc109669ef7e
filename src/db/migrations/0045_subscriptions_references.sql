-- As 0038.
alter table subscriptions
  alter column latest_invoice_id type text collate "C";
do $$ begin
  if exists (select from subscriptions) then
    analyze subscriptions (latest_invoice_id);
  end if;
end $$;

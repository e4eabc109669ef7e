-- As 0038.
alter table payment_intents
  alter column latest_charge_id type text collate "C",
  alter column invoice_id type text collate "C";
do $$ begin
  if exists (select from payment_intents) then
    analyze payment_intents (latest_charge_id, invoice_id);
  end if;
end $$;

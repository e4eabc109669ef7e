-- As 0038.
alter table invoice_payments
  alter column invoice_id type text collate "C",
  alter column payment_intent_id type text collate "C",
  alter column charge_id type text collate "C";
do $$ begin
  if exists (select from invoice_payments) then
    analyze invoice_payments (invoice_id, payment_intent_id, charge_id);
  end if;
end $$;

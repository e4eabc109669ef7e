-- As 0038.
alter table invoices
  alter column payment_intent_id type text collate "C",
  alter column charge_id type text collate "C";
do $$ begin
  if exists (select from invoices) then
    analyze invoices (payment_intent_id, charge_id);
  end if;
end $$;

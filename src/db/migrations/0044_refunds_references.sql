-- As 0038.
alter table refunds
  alter column charge_id type text collate "C",
  alter column payment_intent_id type text collate "C";
do $$ begin
  if exists (select from refunds) then
    analyze refunds (charge_id, payment_intent_id);
  end if;
end $$;

-- As 0038.
alter table checkout_sessions
  alter column payment_intent_id type text collate "C",
  alter column invoice_id type text collate "C";
do $$ begin
  if exists (select from checkout_sessions) then
    analyze checkout_sessions (payment_intent_id, invoice_id);
  end if;
end $$;

-- Ids are compared as bytes, as the keys that they refer to: an index of another collation serves no join with those. The
-- columns' indexes are built anew, the rows are not; one table in one commit, so that nobody waits for two. Their statistics
-- are gone with the old type; an empty table would be taken for one that stays so.
alter table charges
  alter column payment_intent_id type text collate "C",
  alter column invoice_id type text collate "C";
do $$ begin
  if exists (select from charges) then
    analyze charges (payment_intent_id, invoice_id);
  end if;
end $$;

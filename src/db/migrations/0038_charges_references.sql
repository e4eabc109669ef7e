-- Ids are compared as bytes, as the keys that they refer to: an index of another collation serves no join with those. The
-- columns' indexes are built anew, the rows are not; one table in one commit, so that nobody waits for two. Their statistics
-- are gone with the old type.
alter table charges
  alter column payment_intent_id type text collate "C",
  alter column invoice_id type text collate "C";
analyze charges (payment_intent_id, invoice_id);

-- In a transaction of its own: while 0047 makes the index that stands in for this one, payments are read on.
drop index payment_intents_customer;

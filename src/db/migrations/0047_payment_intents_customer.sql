-- A customer's newest payments, by which refunds and disputes are found that name no charge. As charges_customer in 0026: eight
-- bytes more of each payment than before.
drop index payment_intents_customer;
create index payment_intents_customer on payment_intents (customer_id, stripe_created desc) where customer_id is not null;

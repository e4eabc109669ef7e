-- A customer's newest payments, by which refunds and disputes are found that name no charge. As charges_customer in 0026: eight
-- bytes more of each payment than the index that 0048 drops.
create index payment_intents_of_customer on payment_intents (customer_id, stripe_created desc) where customer_id is not null;

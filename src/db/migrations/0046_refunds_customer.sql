-- A customer's refunds that name it, the newest first: no charge and no payment need lead to them.
create index refunds_customer on refunds (customer_id, stripe_created desc) where customer_id is not null;

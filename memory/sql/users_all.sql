-- Every customer.
SELECT id AS user_id FROM memory_user WHERE purpose = 'customer'

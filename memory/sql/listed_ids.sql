-- Every customer among the candidates.
WITH customers AS (
    SELECT id FROM memory_user WHERE purpose = 'customer'
)
SELECT u.id
FROM candidates AS c
INNER JOIN customers AS u ON u.id = c.user_id
ORDER BY u.id

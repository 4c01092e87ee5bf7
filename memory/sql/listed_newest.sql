-- One page of the customers among the candidates, the newest first. Only the rows of the page are read whole.
WITH chosen AS MATERIALIZED (
    SELECT u.id
    FROM candidates AS c
    INNER JOIN memory_user AS u ON u.id = c.user_id
    WHERE
        u.purpose = 'customer'
        AND (u.created_at, u.id) < (%(created_at)s::timestamptz, %(id)s::uuid)
    ORDER BY u.created_at DESC, u.id DESC
    LIMIT %(most)s::bigint
)
SELECT u.*
FROM chosen AS c
INNER JOIN memory_user AS u ON u.id = c.id
ORDER BY u.created_at DESC, u.id DESC

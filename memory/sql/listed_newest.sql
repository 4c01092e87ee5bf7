-- One page of the customers among the candidates, the newest first.
SELECT u.*
FROM candidates AS c
INNER JOIN memory_user AS u ON u.id = c.user_id
WHERE
    u.purpose = 'customer'
    AND (u.created_at, u.id) < (%(created_at)s::timestamptz, %(id)s::uuid)
ORDER BY u.created_at DESC, u.id DESC
LIMIT %(most)s::bigint

-- One page of the customers among the candidates, the fullest tier first: used bytes in millionths of the limit in force.
-- Only the rows of the page are read whole.
WITH raised AS MATERIALIZED (
    SELECT user_id, hard_bytes FROM quota_override
    WHERE period @> %(now)s::timestamptz AND tier = %(sort)s::text
),
chosen AS MATERIALIZED (
    SELECT u.id, share.millionths
    FROM candidates AS c
    INNER JOIN usage_counter AS n ON n.user_id = c.user_id AND n.tier = %(sort)s::text
    INNER JOIN memory_user AS u ON u.id = c.user_id
    INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = n.tier
    LEFT JOIN raised AS r ON r.user_id = c.user_id
    CROSS JOIN LATERAL (
        SELECT (n.active_bytes * 1000000 / coalesce(r.hard_bytes, p.hard_bytes))::bigint AS millionths
    ) AS share
    WHERE
        u.purpose = 'customer'
        AND (share.millionths, u.id) < (%(millionths)s::bigint, %(id)s::uuid)
    ORDER BY share.millionths DESC, u.id DESC
    LIMIT %(most)s::bigint
)
SELECT u.*, c.millionths
FROM chosen AS c
INNER JOIN memory_user AS u ON u.id = c.id
ORDER BY c.millionths DESC, u.id DESC

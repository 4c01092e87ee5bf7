-- Users above the soft limit of a tier: the counters above the lowest of all plans first, then each against its own.
WITH lowest AS MATERIALIZED (
    SELECT tier, min(soft_bytes) AS soft_bytes FROM tier_policy
    WHERE %(tier)s::text IS NULL OR tier = %(tier)s::text
    GROUP BY tier
),
near AS MATERIALIZED (
    SELECT c.user_id, c.tier, c.active_bytes
    FROM usage_counter AS c
    INNER JOIN lowest AS l ON l.tier = c.tier
    -- The first comparison is made while reading, and spares most rows the second.
    WHERE c.active_bytes > (SELECT min(soft_bytes) FROM lowest) AND c.active_bytes > l.soft_bytes
)
SELECT DISTINCT n.user_id
FROM near AS n
INNER JOIN memory_user AS u ON u.id = n.user_id
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = n.tier
WHERE n.active_bytes > p.soft_bytes

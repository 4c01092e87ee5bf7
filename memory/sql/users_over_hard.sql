-- Users above the hard limit in force of a tier: the counters above the lowest first, then each against its own.
WITH raised AS MATERIALIZED (
    SELECT user_id, tier, hard_bytes FROM quota_override WHERE period @> %(now)s::timestamptz
),
lowest AS MATERIALIZED (
    SELECT tier, min(hard_bytes) AS hard_bytes
    FROM (SELECT tier, hard_bytes FROM tier_policy UNION ALL SELECT tier, hard_bytes FROM raised) AS limits
    WHERE %(tier)s::text IS NULL OR tier = %(tier)s::text
    GROUP BY tier
),
near AS MATERIALIZED (
    SELECT c.user_id, c.tier, c.active_bytes
    FROM usage_counter AS c
    INNER JOIN lowest AS l ON l.tier = c.tier
    -- The first comparison is made while reading, and spares most rows the second.
    WHERE c.active_bytes > (SELECT min(hard_bytes) FROM lowest) AND c.active_bytes > l.hard_bytes
)
SELECT DISTINCT n.user_id
FROM near AS n
INNER JOIN memory_user AS u ON u.id = n.user_id
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = n.tier
LEFT JOIN raised AS r ON r.user_id = n.user_id AND r.tier = n.tier
WHERE n.active_bytes > coalesce(r.hard_bytes, p.hard_bytes)

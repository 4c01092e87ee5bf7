-- What all customers use and may use, by tier, with how many of them are in which band of their effective limit.
SELECT
    c.tier,
    sum(c.active_bytes)::bigint,
    sum(c.active_items)::bigint,
    sum(c.archived_items)::bigint,
    sum(COALESCE(o.hard_bytes, p.hard_bytes))::bigint,
    count(*) FILTER (WHERE share.used < 0.5),
    count(*) FILTER (WHERE share.used >= 0.5 AND share.used < 0.8),
    count(*) FILTER (WHERE share.used >= 0.8 AND share.used < 0.9),
    count(*) FILTER (WHERE share.used >= 0.9 AND share.used <= 1),
    count(*) FILTER (WHERE share.used > 1)
FROM usage_counter AS c
INNER JOIN memory_user AS u ON u.id = c.user_id AND u.purpose = 'customer'
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = c.tier
LEFT JOIN quota_override AS o
    ON o.user_id = u.id AND o.tier = p.tier AND o.period @> %(now)s::timestamptz
CROSS JOIN LATERAL (
    SELECT c.active_bytes::float8 / COALESCE(o.hard_bytes, p.hard_bytes) AS used
) AS share
GROUP BY c.tier

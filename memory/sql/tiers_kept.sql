-- What all customers keep in each tier, of how much they may, and how many of them are over soft and over hard.
SELECT
    c.tier,
    sum(c.active_items)::bigint,
    sum(c.active_bytes)::bigint,
    sum(coalesce(o.hard_bytes, p.hard_bytes))::bigint,
    count(*) FILTER (WHERE c.active_bytes > p.soft_bytes),
    count(*) FILTER (WHERE c.active_bytes > coalesce(o.hard_bytes, p.hard_bytes))
FROM usage_counter AS c
INNER JOIN memory_user AS u ON u.id = c.user_id AND u.purpose = 'customer'
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = c.tier
LEFT JOIN (
    SELECT user_id, tier, hard_bytes FROM quota_override WHERE period @> %(now)s::timestamptz
) AS o ON o.user_id = c.user_id AND o.tier = c.tier
GROUP BY c.tier

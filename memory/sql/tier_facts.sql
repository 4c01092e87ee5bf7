-- What is used and allowed in each tier of some users now: the counter, the plan's policy, the override in force.
SELECT
    c.user_id,
    c.tier,
    c.active_bytes,
    c.active_items,
    c.archived_bytes,
    c.archived_items,
    p.soft_bytes,
    p.hard_bytes,
    p.archived_bytes AS archived_limit_bytes,
    p.life_seconds,
    p.grace_days,
    p.plan_id,
    o.id AS override_id,
    o.hard_bytes AS override_bytes,
    upper(o.period) AS override_ends_at
FROM usage_counter AS c
INNER JOIN memory_user AS u ON u.id = c.user_id
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = c.tier
LEFT JOIN quota_override AS o
    ON o.user_id = u.id AND o.tier = p.tier AND o.period @> %(now)s::timestamptz
WHERE c.user_id = ANY(%(user_ids)s::uuid[])
ORDER BY c.user_id, c.tier

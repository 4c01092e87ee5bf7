-- Add bytes and items to a tier's counter when the limit in force allows it; no row when it does not.
-- A change that needs no more room (bytes <= 0) is always allowed: a user above the limit may still shrink.
UPDATE usage_counter AS c
SET
    active_bytes = c.active_bytes + %(bytes)s::bigint,
    active_items = c.active_items + %(items)s::bigint,
    writes = c.writes + 1
FROM memory_user AS u
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = %(tier)s
LEFT JOIN quota_override AS o
    ON o.user_id = u.id AND o.tier = p.tier AND o.period @> %(now)s::timestamptz
WHERE
    u.id = %(user_id)s::uuid
    AND c.user_id = u.id
    AND c.tier = %(tier)s
    AND (%(bytes)s::bigint <= 0 OR c.active_bytes + %(bytes)s::bigint <= COALESCE(o.hard_bytes, p.hard_bytes))
RETURNING c.active_bytes, c.active_items

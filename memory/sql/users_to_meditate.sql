-- Whom a run is about, all customers or these users, with their numbers and bytes of active items: those first who were
-- not scored for longest.
SELECT
    u.id,
    COALESCE(sum(c.active_items), 0)::bigint AS items,
    COALESCE(sum(c.active_bytes), 0)::bigint AS active_bytes
FROM memory_user AS u
LEFT JOIN user_scoring AS s ON u.id = s.user_id
LEFT JOIN usage_counter AS c ON u.id = c.user_id
WHERE
    u.state IN ('active', 'suspended')
    AND CASE WHEN %(user_ids)s::uuid[] IS NULL THEN u.purpose = 'customer' ELSE u.id = ANY(%(user_ids)s::uuid[]) END
GROUP BY u.id, s.scored_at
ORDER BY s.scored_at NULLS FIRST, u.id

-- How many tiers of these users are above their soft limit still, though items could go: the day's cap held them.
SELECT count(*)
FROM usage_counter AS c
INNER JOIN memory_user AS u ON c.user_id = u.id
INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND c.tier = p.tier
WHERE
    c.user_id = ANY(%(user_ids)s::uuid[])
    AND c.tier IN ('short-term', 'long-term')
    AND c.active_bytes > p.soft_bytes
    AND EXISTS (
        SELECT FROM memory_item AS i
        INNER JOIN scored AS s ON i.id = s.item_id
        WHERE i.user_id = c.user_id AND i.tier = c.tier AND i.state = 'active' AND NOT i.protected
    )

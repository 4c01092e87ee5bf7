-- Counters that differ from the sum over their items, and users who lack a counter.
WITH sums AS (
    SELECT
        user_id,
        tier,
        COALESCE(sum(size_bytes) FILTER (WHERE state = 'active'), 0)::bigint AS active_bytes,
        count(*) FILTER (WHERE state = 'active') AS active_items,
        COALESCE(sum(size_bytes) FILTER (WHERE state = 'archived'), 0)::bigint AS archived_bytes,
        count(*) FILTER (WHERE state = 'archived') AS archived_items
    FROM memory_item
    WHERE %(user_ids)s::uuid[] IS NULL OR user_id = ANY(%(user_ids)s::uuid[])
    GROUP BY user_id, tier
),
expected AS (
    SELECT
        u.id AS user_id,
        t.tier,
        COALESCE(s.active_bytes, 0) AS active_bytes,
        COALESCE(s.active_items, 0) AS active_items,
        COALESCE(s.archived_bytes, 0) AS archived_bytes,
        COALESCE(s.archived_items, 0) AS archived_items
    FROM memory_user AS u
    CROSS JOIN (VALUES ('short-term'), ('long-term'), ('permanent')) AS t (tier)
    LEFT JOIN sums AS s ON s.user_id = u.id AND s.tier = t.tier
    WHERE %(user_ids)s::uuid[] IS NULL OR u.id = ANY(%(user_ids)s::uuid[])
)
SELECT
    e.user_id,
    e.tier,
    ARRAY[c.active_bytes, c.active_items, c.archived_bytes, c.archived_items] AS counted,
    ARRAY[e.active_bytes, e.active_items, e.archived_bytes, e.archived_items] AS summed
FROM expected AS e
LEFT JOIN usage_counter AS c ON c.user_id = e.user_id AND c.tier = e.tier
WHERE (c.active_bytes, c.active_items, c.archived_bytes, c.archived_items)
    IS DISTINCT FROM (e.active_bytes, e.active_items, e.archived_bytes, e.archived_items)
ORDER BY e.user_id, e.tier

-- Change many counters at once; rows of one counter are added up.
WITH shifts AS (
    SELECT
        user_id,
        tier,
        sum(active_bytes) AS active_bytes,
        sum(active_items) AS active_items,
        sum(archived_bytes) AS archived_bytes,
        sum(archived_items) AS archived_items
    FROM unnest(
        %(user_ids)s::uuid[], %(tiers)s::text[], %(active_bytes)s::bigint[], %(active_items)s::bigint[],
        %(archived_bytes)s::bigint[], %(archived_items)s::bigint[]
    ) AS given (user_id, tier, active_bytes, active_items, archived_bytes, archived_items)
    GROUP BY user_id, tier
)
UPDATE usage_counter AS c
SET
    active_bytes = c.active_bytes + s.active_bytes::bigint,
    active_items = c.active_items + s.active_items::bigint,
    archived_bytes = c.archived_bytes + s.archived_bytes::bigint,
    archived_items = c.archived_items + s.archived_items::bigint,
    writes = c.writes + 1
FROM shifts AS s
WHERE c.user_id = s.user_id AND c.tier = s.tier

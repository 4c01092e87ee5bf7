-- Count what queries returned into the items, each event once.
WITH folded AS (
    UPDATE access_event
    SET folded_at = %(now)s::timestamptz
    WHERE user_id = ANY(%(user_ids)s::uuid[]) AND folded_at IS NULL
    RETURNING user_id, item_ids, asked_at
),
counted AS (
    SELECT f.user_id, returned.item_id, count(*) AS times, max(f.asked_at) AS last_at
    FROM folded AS f CROSS JOIN LATERAL unnest(f.item_ids) AS returned (item_id)
    GROUP BY f.user_id, returned.item_id
)
UPDATE memory_item AS i
SET access_count = i.access_count + c.times, last_seen_at = greatest(i.last_seen_at, c.last_at)
FROM counted AS c
WHERE i.id = c.item_id AND i.user_id = c.user_id AND i.state <> 'purged'

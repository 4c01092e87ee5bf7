-- The hour's sample of each counter that says something else than its newest sample, which it closes. Twice is as once.
WITH changed AS MATERIALIZED (
    SELECT
        c.user_id,
        c.tier,
        c.active_bytes,
        c.active_items,
        c.archived_bytes,
        c.archived_items
    FROM usage_counter AS c
    LEFT JOIN usage_sample AS s ON s.user_id = c.user_id AND s.tier = c.tier AND s.next_hour IS NULL
    WHERE
        (%(user_ids)s::uuid[] IS NULL OR c.user_id = ANY(%(user_ids)s::uuid[]))
        AND (s.hour IS NULL OR s.hour < %(hour)s::timestamptz)
        AND (c.active_bytes, c.active_items, c.archived_bytes, c.archived_items) IS DISTINCT FROM (
            COALESCE(s.active_bytes, 0),
            COALESCE(s.active_items, 0),
            COALESCE(s.archived_bytes, 0),
            COALESCE(s.archived_items, 0)
        )
),
closed AS (
    UPDATE usage_sample AS s
    SET next_hour = %(hour)s::timestamptz
    FROM changed
    WHERE s.user_id = changed.user_id AND s.tier = changed.tier AND s.next_hour IS NULL
    RETURNING 1
)
INSERT INTO usage_sample (user_id, tier, hour, active_bytes, active_items, archived_bytes, archived_items)
SELECT
    user_id,
    tier,
    %(hour)s::timestamptz,
    active_bytes,
    active_items,
    archived_bytes,
    archived_items
FROM changed
-- Counting them closes them first: two newest samples of one counter are forbidden.
WHERE (SELECT count(*) FROM closed) >= 0

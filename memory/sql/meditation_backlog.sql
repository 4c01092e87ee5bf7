-- Customers with active items that were not scored for a day, the age of the oldest score, and all their items.
SELECT
    count(*) FILTER (WHERE COALESCE(s.scored_at, u.created_at) < %(day_ago)s::timestamptz) AS users_behind,
    COALESCE(extract(EPOCH FROM %(now)s::timestamptz - min(s.scored_at)), 0)::float8 AS oldest_seconds,
    COALESCE(sum(c.items), 0)::bigint AS items
FROM (
    SELECT user_id, sum(active_items) AS items FROM usage_counter WHERE active_items > 0 GROUP BY user_id
) AS c
INNER JOIN memory_user AS u ON c.user_id = u.id AND u.purpose = 'customer' AND u.state IN ('active', 'suspended')
LEFT JOIN user_scoring AS s ON c.user_id = s.user_id

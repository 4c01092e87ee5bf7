-- What a meditation of a user would look at: when it was looked at last, and what is past its life or its grace.
SELECT
    (SELECT scored_at FROM user_scoring WHERE user_id = %(user_id)s::uuid),
    count(*) FILTER (WHERE state = 'active'),
    count(*) FILTER (
        WHERE state = 'active' AND tier = 'short-term' AND expires_at <= %(now)s::timestamptz
    ),
    count(*) FILTER (WHERE state = 'archived' AND purge_after <= %(now)s::timestamptz AND NOT protected)
FROM memory_item
WHERE user_id = %(user_id)s::uuid AND state IN ('active', 'archived')

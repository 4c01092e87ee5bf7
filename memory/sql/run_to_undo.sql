-- What of a run stands and could be undone: of how many users, how many items, of how many bytes, and how many of them
-- were promoted.
SELECT
    count(DISTINCT user_id) AS users,
    count(*) AS items,
    coalesce(sum(size_bytes), 0)::bigint AS size_bytes,
    count(*) FILTER (WHERE was_promoted) AS promoted
FROM (
    SELECT
        user_id,
        max(size_bytes) AS size_bytes,
        bool_or(act = 'promoted') AS was_promoted
    FROM meditation_decision
    WHERE run_id = %(run_id)s::uuid AND act <> 'purged' AND undone_at IS NULL
    GROUP BY user_id, item_id
) AS decided

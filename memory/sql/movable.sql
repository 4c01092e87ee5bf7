-- Of one tier of a user: what a plan or a meditation may take of it, and how much of the day's cap is left. Items of
-- short-term whose life is over are told apart: the next meditation moves or archives them.
WITH held AS (
    SELECT
        COALESCE(sum(size_bytes) FILTER (WHERE tier = %(tier)s AND NOT protected), 0)::bigint AS movable_bytes,
        COALESCE(max(size_bytes), 0) AS largest_bytes,
        COALESCE(sum(size_bytes) FILTER (
            WHERE tier = 'short-term' AND expires_at <= %(now)s::timestamptz AND NOT protected
        ), 0)::bigint AS over_bytes,
        COALESCE(sum(size_bytes) FILTER (
            WHERE tier = 'short-term' AND expires_at <= %(now)s::timestamptz AND protected
        ), 0)::bigint AS over_protected_bytes
    FROM memory_item
    WHERE
        user_id = %(user_id)s::uuid
        AND state = 'active'
        AND (tier = %(tier)s OR (tier = 'short-term' AND expires_at <= %(now)s::timestamptz))
)
SELECT
    h.movable_bytes,
    h.largest_bytes,
    h.over_bytes,
    h.over_protected_bytes,
    p.soft_bytes,
    GREATEST(0, floor(p.daily_cap_share * p.hard_bytes)::bigint - COALESCE((
        SELECT sum(d.size_bytes)
        FROM meditation_decision AS d
        WHERE
            d.user_id = u.id
            AND d.tier = p.tier
            AND d.reason = 'soft-limit'
            AND d.decided_at >= date_trunc('day', %(now)s::timestamptz, 'UTC')
            AND d.decided_at < date_trunc('day', %(now)s::timestamptz, 'UTC') + interval '1 day'
    ), 0))::bigint AS allowed_bytes
FROM memory_user AS u
INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND p.tier = %(tier)s
CROSS JOIN held AS h
WHERE u.id = %(user_id)s::uuid

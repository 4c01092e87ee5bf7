-- Of tiers above their soft limit the head of the order that brings them down to it, within what the day still allows.
-- The order: the lowest score / sqrt(size_bytes) first. Permanent and protected items never.
WITH over AS MATERIALIZED (
    SELECT
        c.user_id,
        c.tier,
        c.active_bytes - p.soft_bytes AS excess_bytes,
        p.grace_days,
        floor(p.daily_cap_share * p.hard_bytes)::bigint - COALESCE((
            SELECT sum(d.size_bytes)
            FROM meditation_decision AS d
            WHERE
                d.user_id = c.user_id
                AND d.tier = c.tier
                AND d.reason = 'soft-limit'
                AND d.decided_at >= date_trunc('day', %(now)s::timestamptz, 'UTC')
                AND d.decided_at < date_trunc('day', %(now)s::timestamptz, 'UTC') + interval '1 day'
        ), 0) AS allowed_bytes
    FROM usage_counter AS c
    INNER JOIN memory_user AS u ON c.user_id = u.id
    INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND c.tier = p.tier
    WHERE
        c.user_id = ANY(%(user_ids)s::uuid[])
        AND c.tier IN ('short-term', 'long-term')
        AND c.active_bytes > p.soft_bytes
),
ordered AS MATERIALIZED (
    SELECT
        i.id,
        i.user_id,
        i.tier,
        i.size_bytes,
        o.excess_bytes,
        o.allowed_bytes,
        o.grace_days,
        sum(i.size_bytes) OVER (
            PARTITION BY i.user_id, i.tier ORDER BY s.score / sqrt(i.size_bytes::float8), i.id
        ) AS bytes_so_far
    FROM over AS o
    INNER JOIN memory_item AS i ON o.user_id = i.user_id AND o.tier = i.tier
    INNER JOIN scored AS s ON i.id = s.item_id
    WHERE i.state = 'active' AND NOT i.protected
),
acted AS MATERIALIZED (
    SELECT * FROM ordered
    WHERE bytes_so_far - size_bytes < excess_bytes AND bytes_so_far <= allowed_bytes
),
changed AS (
    UPDATE memory_item AS i
    SET
        state = 'archived',
        archived_at = %(now)s::timestamptz,
        archive_reason = 'soft-limit',
        purge_after = %(now)s::timestamptz + make_interval(days => a.grace_days),
        version = i.version + 1
    FROM acted AS a
    WHERE i.id = a.id
    RETURNING i.id, i.version
),
kept AS (
    INSERT INTO meditation_decision (
        run_id, user_id, item_id, act, reason, tier, size_bytes, score, inputs, profile_version, item_version,
        decided_at, undone_by
    )
    SELECT
        %(run_id)s::uuid, a.user_id, a.id, 'archived', 'soft-limit', a.tier, a.size_bytes, s.score,
        to_jsonb(s) - ARRAY['item_id', 'user_id', 'score'], %(profile_version)s::int, c.version,
        %(now)s::timestamptz, ''
    FROM acted AS a
    INNER JOIN changed AS c ON a.id = c.id
    INNER JOIN scored AS s ON a.id = s.item_id
)
SELECT
    a.user_id,
    a.tier,
    'archived' AS act,
    'soft-limit' AS reason,
    count(*) AS items,
    sum(a.size_bytes)::bigint AS size_bytes
FROM acted AS a
INNER JOIN changed AS c ON a.id = c.id
GROUP BY a.user_id, a.tier

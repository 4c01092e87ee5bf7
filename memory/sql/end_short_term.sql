-- Short-term items past their life: promoted while long-term has room, the highest score first, else archived.
-- Protected ones are promoted or stay. One row a user, tier and act; the counters are the caller's.
WITH due AS MATERIALIZED (
    SELECT i.id, i.user_id, i.size_bytes, i.protected, s.score, s.score >= %(threshold)s::float8 AS worthy
    FROM memory_item AS i
    INNER JOIN scored AS s ON i.id = s.item_id
    WHERE
        i.user_id = ANY(%(user_ids)s::uuid[])
        AND i.state = 'active'
        AND i.tier = 'short-term'
        AND i.expires_at <= %(now)s::timestamptz
),
room AS MATERIALIZED (
    SELECT c.user_id, COALESCE(o.hard_bytes, p.hard_bytes) - c.active_bytes AS bytes
    FROM usage_counter AS c
    INNER JOIN memory_user AS u ON c.user_id = u.id
    INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND c.tier = p.tier
    LEFT JOIN quota_override AS o
        ON c.user_id = o.user_id AND c.tier = o.tier AND o.period @> %(now)s::timestamptz
    WHERE c.user_id = ANY(%(user_ids)s::uuid[]) AND c.tier = 'long-term'
),
decided AS MATERIALIZED (
    SELECT
        d.*,
        d.worthy AND sum(d.size_bytes) FILTER (WHERE d.worthy)
            OVER (PARTITION BY d.user_id ORDER BY d.worthy DESC, d.score DESC, d.id) <= r.bytes AS promoted
    FROM due AS d
    INNER JOIN room AS r ON d.user_id = r.user_id
),
acted AS MATERIALIZED (
    SELECT
        d.id,
        d.user_id,
        d.size_bytes,
        CASE WHEN d.promoted THEN 'promoted' ELSE 'archived' END AS act,
        CASE WHEN d.promoted THEN 'worthy' WHEN d.worthy THEN 'no-room' ELSE 'expired' END AS reason,
        d.promoted
    FROM decided AS d
    WHERE d.promoted OR NOT d.protected
),
changed AS (
    UPDATE memory_item AS i
    SET
        tier = CASE WHEN a.promoted THEN 'long-term' ELSE i.tier END,
        expires_at = CASE WHEN a.promoted THEN NULL ELSE i.expires_at END,
        changed_at = CASE WHEN a.promoted THEN %(now)s::timestamptz ELSE i.changed_at END,
        state = CASE WHEN a.promoted THEN i.state ELSE 'archived' END,
        archived_at = CASE WHEN a.promoted THEN NULL ELSE %(now)s::timestamptz END,
        archive_reason = CASE WHEN a.promoted THEN '' ELSE a.reason END,
        purge_after = CASE
            WHEN NOT a.promoted THEN %(now)s::timestamptz + make_interval(days => p.grace_days)
        END,
        version = i.version + 1
    FROM acted AS a
    INNER JOIN memory_user AS u ON a.user_id = u.id
    INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND p.tier = 'short-term'
    WHERE i.id = a.id
    RETURNING i.id, i.version
),
kept AS (
    INSERT INTO meditation_decision (
        run_id, user_id, item_id, act, reason, tier, size_bytes, score, inputs, profile_version, item_version,
        decided_at, undone_by
    )
    SELECT
        %(run_id)s::uuid, a.user_id, a.id, a.act, a.reason, 'short-term', a.size_bytes, s.score,
        to_jsonb(s) - ARRAY['item_id', 'user_id', 'score'], %(profile_version)s::int, c.version,
        %(now)s::timestamptz, ''
    FROM acted AS a
    INNER JOIN changed AS c ON a.id = c.id
    INNER JOIN scored AS s ON a.id = s.item_id
)
SELECT
    a.user_id,
    'short-term' AS tier,
    a.act,
    a.reason,
    count(*) AS items,
    sum(a.size_bytes)::bigint AS size_bytes
FROM acted AS a
INNER JOIN changed AS c ON a.id = c.id
GROUP BY a.user_id, a.act, a.reason

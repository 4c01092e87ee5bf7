-- Take the room and insert the item in one statement. One row when the user exists; no stored id when the limit, or the
-- user's state, refused it. The counter's row is locked by the UPDATE, so that concurrent writers see each other's bytes.
WITH target AS MATERIALIZED (
    SELECT
        u.id,
        u.state,
        p.soft_bytes,
        p.life_seconds,
        COALESCE(o.hard_bytes, p.hard_bytes) AS limit_bytes
    FROM memory_user AS u
    INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = %(tier)s
    LEFT JOIN quota_override AS o
        ON o.user_id = u.id AND o.tier = p.tier AND o.period @> %(now)s::timestamptz
    WHERE u.id = %(user_id)s::uuid
),
room AS (
    UPDATE usage_counter AS c
    SET
        active_bytes = c.active_bytes + %(size_bytes)s::bigint,
        active_items = c.active_items + 1,
        writes = c.writes + 1
    FROM target
    WHERE
        c.user_id = target.id
        AND c.tier = %(tier)s
        AND target.state = 'active'
        AND c.active_bytes + %(size_bytes)s::bigint <= target.limit_bytes
    RETURNING c.active_bytes, c.active_items
),
stored AS (
    INSERT INTO memory_item (
        user_id, tier, state, content, metadata, size_bytes, protected, version, created_at, changed_at, expires_at,
        access_count, archive_reason, purge_reason, created_by, consent, embedding, embedding_model
    )
    SELECT
        target.id, %(tier)s, 'active', %(content)s, %(metadata)s::jsonb, %(size_bytes)s::int, %(protected)s::boolean, 1,
        %(created_at)s::timestamptz, %(now)s::timestamptz,
        %(now)s::timestamptz + make_interval(secs => target.life_seconds),
        0, '', '', %(created_by)s, '', %(embedding)s::halfvec, %(embedding_model)s
    FROM target, room
    RETURNING id, expires_at
)
SELECT
    target.state,
    target.soft_bytes,
    target.limit_bytes,
    room.active_bytes,
    room.active_items,
    stored.id,
    stored.expires_at
FROM target
LEFT JOIN room ON TRUE
LEFT JOIN stored ON TRUE

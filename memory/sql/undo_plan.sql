-- Bring back what a plan archived and that still lies as it left it. The caller holds the user's counters and the plan,
-- and has looked that there is room.
WITH policy AS MATERIALIZED (
    SELECT t.tier, t.life_seconds
    FROM memory_user AS u
    INNER JOIN tier_policy AS t ON u.plan_id = t.plan_id
    WHERE u.id = %(user_id)s::uuid
),
changed AS (
    UPDATE memory_item AS i
    SET
        state = 'active',
        archived_at = NULL,
        archive_reason = '',
        purge_after = NULL,
        expires_at = %(now)s::timestamptz + make_interval(secs => l.life_seconds),
        changed_at = %(now)s::timestamptz,
        version = i.version + 1
    FROM prune_plan_item AS p
    CROSS JOIN policy AS l
    WHERE
        p.plan_id = %(plan_id)s::uuid
        AND p.outcome = 'archived'
        AND i.id = p.item_id
        AND i.user_id = %(user_id)s::uuid
        AND i.tier = l.tier
        AND i.state = 'archived'
        AND i.version = p.left_version
    RETURNING i.id, memory_fingerprint(i.content, i.metadata, i.tier, i.created_at) AS print
),
told AS (
    UPDATE prune_plan_item AS t
    SET fingerprint_back = c.print
    FROM changed AS c
    WHERE t.plan_id = %(plan_id)s::uuid AND t.item_id = c.id
    RETURNING t.tier, t.size_bytes
)
SELECT tier, count(*) AS items, sum(size_bytes)::bigint AS size_bytes
FROM told
GROUP BY tier

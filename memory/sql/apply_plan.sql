-- Archive what a plan holds, those items alone that are as they were when it was frozen, and say of each what became of
-- it. The caller holds the user's counters and the plan.
WITH planned AS MATERIALIZED (
    SELECT p.item_id, p.version, i.state, i.protected
    FROM prune_plan_item AS p
    INNER JOIN memory_item AS i ON p.item_id = i.id
    WHERE p.plan_id = %(plan_id)s::uuid AND i.user_id = %(user_id)s::uuid
),
grace AS MATERIALIZED (
    SELECT t.tier, t.grace_days
    FROM memory_user AS u
    INNER JOIN tier_policy AS t ON u.plan_id = t.plan_id
    WHERE u.id = %(user_id)s::uuid
),
changed AS (
    UPDATE memory_item AS i
    SET
        state = 'archived',
        archived_at = %(now)s::timestamptz,
        archive_reason = 'plan',
        purge_after = %(now)s::timestamptz + make_interval(days => g.grace_days),
        version = i.version + 1
    FROM planned AS p
    CROSS JOIN grace AS g
    WHERE
        i.id = p.item_id
        AND i.user_id = %(user_id)s::uuid
        AND i.tier = g.tier
        AND i.version = p.version
        AND i.state = 'active'
        AND NOT i.protected
    RETURNING i.id, i.version, memory_fingerprint(i.content, i.metadata, i.tier, i.embedding, i.created_at) AS print
),
told AS (
    UPDATE prune_plan_item AS t
    SET
        outcome = CASE
            WHEN c.id IS NOT NULL THEN 'archived'
            WHEN p.state = 'purged' THEN 'gone'
            WHEN p.state = 'archived' THEN 'away'
            WHEN p.protected THEN 'protected'
            ELSE 'changed'
        END,
        left_version = c.version,
        fingerprint = c.print
    FROM planned AS p
    LEFT JOIN changed AS c ON p.item_id = c.id
    WHERE t.plan_id = %(plan_id)s::uuid AND t.item_id = p.item_id
    RETURNING t.tier, t.outcome, t.size_bytes
)
SELECT tier, outcome, count(*) AS items, sum(size_bytes)::bigint AS size_bytes
FROM told
GROUP BY tier, outcome

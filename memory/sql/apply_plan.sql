-- Archive what a plan holds, those items alone that are as they were when it was frozen, and say of each what became of
-- it. The caller holds the user's counters and the plan.
WITH grace AS MATERIALIZED (
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
    FROM prune_plan_item AS p
    CROSS JOIN grace AS g
    WHERE
        p.plan_id = %(plan_id)s::uuid
        AND i.id = p.item_id
        AND i.user_id = %(user_id)s::uuid
        AND i.tier = g.tier
        AND i.version = p.version
        AND i.state = 'active'
        AND NOT i.protected
    RETURNING i.id, i.version
),
went AS (
    UPDATE prune_plan_item AS t
    SET outcome = 'archived', left_version = c.version
    FROM changed AS c
    WHERE t.plan_id = %(plan_id)s::uuid AND t.item_id = c.id
    RETURNING t.tier, t.outcome, t.size_bytes
),
stayed AS (
    UPDATE prune_plan_item AS t
    SET
        outcome = (
            SELECT
                CASE
                    WHEN i.state = 'purged' THEN 'gone'
                    WHEN i.state = 'archived' THEN 'away'
                    WHEN i.protected THEN 'protected'
                    ELSE 'changed'
                END
            FROM memory_item AS i
            WHERE i.id = t.item_id
        )
    WHERE t.plan_id = %(plan_id)s::uuid AND NOT EXISTS (SELECT 1 FROM changed AS c WHERE c.id = t.item_id)
    RETURNING t.tier, t.outcome, t.size_bytes
)
SELECT tier, outcome, count(*) AS items, sum(size_bytes)::bigint AS size_bytes
FROM (
    SELECT tier, outcome, size_bytes FROM went
    UNION ALL
    SELECT tier, outcome, size_bytes FROM stayed
) AS told
GROUP BY tier, outcome

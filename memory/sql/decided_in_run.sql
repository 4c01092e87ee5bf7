-- What a run decided of a user's items, one row an item, and what keeps it from being undone; nothing where it can be.
-- An item that was promoted and then archived is one row: it goes all the way back, or stays.
WITH decided AS MATERIALIZED (
    SELECT
        d.item_id,
        array_agg(d.id) FILTER (WHERE d.undone_at IS NULL) AS decision_ids,
        max(d.item_version) AS item_version,
        bool_or(d.act = 'promoted') AS was_promoted,
        min(d.decided_at) AS decided_at
    FROM meditation_decision AS d
    WHERE
        d.user_id = %(user_id)s::uuid
        AND d.run_id = %(run_id)s::uuid
        AND CASE WHEN %(item_ids)s::uuid[] IS NULL THEN d.act <> 'purged' ELSE d.item_id = ANY(%(item_ids)s::uuid[]) END
    GROUP BY d.item_id
),
policy AS MATERIALIZED (
    SELECT p.grace_days FROM memory_user AS u
    INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND p.tier = 'short-term'
    WHERE u.id = %(user_id)s::uuid
)
SELECT
    d.item_id,
    d.was_promoted,
    d.decision_ids,
    CASE
        WHEN d.decision_ids IS NULL THEN 'undone'
        WHEN i.state = 'purged' THEN 'gone'
        WHEN i.version IS DISTINCT FROM d.item_version THEN 'changed'
        WHEN %(now)s::timestamptz >= COALESCE(
            i.purge_after, d.decided_at + make_interval(days => (SELECT grace_days FROM policy))
        ) THEN 'late'
    END AS skip
FROM decided AS d
INNER JOIN memory_item AS i ON d.item_id = i.id
ORDER BY d.item_id

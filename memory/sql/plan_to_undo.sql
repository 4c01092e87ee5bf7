-- What a plan archived, and how it stands now: what can come back has no obstacle, what is back is `active`. Items are
-- looked up by their ids alone: however many the planner believes there are, each is read once.
SELECT
    p.tier,
    CASE
        WHEN i.state = 'active' THEN 'active'
        WHEN i.state = 'purged' THEN 'gone'
        WHEN i.version <> p.left_version THEN 'changed'
        WHEN %(now)s::timestamptz >= i.purge_after THEN 'late'
    END AS obstacle,
    count(*) AS items,
    sum(p.size_bytes)::bigint AS size_bytes
FROM prune_plan_item AS p
INNER JOIN memory_item AS i ON p.item_id = i.id
WHERE p.plan_id = %(plan_id)s::uuid AND p.outcome = 'archived'
GROUP BY p.tier, obstacle

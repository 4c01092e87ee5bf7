-- I4: no job archived a permanent item, nor archived or purged a protected one; a plan archived permanent ones only
-- where it names that tier. An item that is as the decision or the plan left it was protected then, if it is now:
-- protecting one changes its version.
SELECT 'item ' || d.item_id || ' is permanent, and run ' || d.run_id || ' archived it'
FROM meditation_decision AS d
WHERE d.act = 'archived' AND d.tier = 'permanent'
UNION ALL
SELECT 'item ' || d.item_id || ' is protected, and run ' || d.run_id || ' ' || d.act || ' it'
FROM meditation_decision AS d
INNER JOIN memory_item AS i ON d.item_id = i.id
WHERE d.act IN ('archived', 'purged') AND i.protected AND i.version = d.item_version
UNION ALL
SELECT 'item ' || r.item_id || ' is permanent, and plan ' || p.id || ' archived it without naming that tier'
FROM prune_plan_item AS r
INNER JOIN prune_plan AS p ON r.plan_id = p.id
WHERE r.outcome = 'archived' AND r.tier = 'permanent' AND p.tier <> 'permanent'
UNION ALL
SELECT 'item ' || r.item_id || ' is protected, and plan ' || r.plan_id || ' archived it'
FROM prune_plan_item AS r
INNER JOIN memory_item AS i ON r.item_id = i.id
WHERE r.outcome = 'archived' AND i.protected AND i.version = r.left_version

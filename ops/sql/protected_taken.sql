-- I4: no job archived a permanent item, nor archived or purged a protected one. An item that is as the decision left it
-- was protected then, if it is now: protecting one changes its version.
SELECT 'item ' || d.item_id || ' is permanent, and run ' || d.run_id || ' archived it'
FROM meditation_decision AS d
WHERE d.act = 'archived' AND d.tier = 'permanent'
UNION ALL
SELECT 'item ' || d.item_id || ' is protected, and run ' || d.run_id || ' ' || d.act || ' it'
FROM meditation_decision AS d
INNER JOIN memory_item AS i ON d.item_id = i.id
WHERE d.act IN ('archived', 'purged') AND i.protected AND i.version = d.item_version

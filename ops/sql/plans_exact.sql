-- I5: a plan took effect at most once, its figures are those of its rows, and what came back is what went. An item
-- that an undone plan did not bring back was back already: its version is beyond the one in which the plan left it.
WITH summed AS MATERIALIZED (
    SELECT
        p.id,
        p.state,
        count(r.item_id) AS items,
        coalesce(sum(r.size_bytes), 0) AS bytes,
        coalesce(max(r.position), 0) AS last_position,
        count(*) FILTER (WHERE r.outcome = 'archived') AS archived_items,
        coalesce(sum(r.size_bytes) FILTER (WHERE r.outcome = 'archived'), 0) AS archived_bytes,
        count(*) FILTER (WHERE r.outcome = '') AS untold,
        count(*) FILTER (WHERE r.outcome <> '') AS told,
        count(r.fingerprint_back) AS back_items,
        coalesce(sum(r.size_bytes) FILTER (WHERE r.fingerprint_back IS NOT NULL), 0) AS back_bytes
    FROM prune_plan AS p
    LEFT JOIN prune_plan_item AS r ON p.id = r.plan_id
    GROUP BY p.id, p.state
)
SELECT 'plan ' || p.id || ' shows ' || p.items_total || ' items of ' || p.bytes_total || ' bytes, its list is another'
FROM prune_plan AS p
INNER JOIN summed AS s ON p.id = s.id
WHERE (p.items_total, p.bytes_total) IS DISTINCT FROM (s.items, s.bytes) OR s.last_position <> s.items
UNION ALL
SELECT 'plan ' || p.id || ' is frozen, and something was done already'
FROM prune_plan AS p
INNER JOIN summed AS s ON p.id = s.id
WHERE p.state = 'frozen' AND (s.told > 0 OR s.back_items > 0 OR p.archived_items IS NOT NULL)
UNION ALL
SELECT 'plan ' || p.id || ' says of ' || s.untold || ' items not what became of them'
FROM prune_plan AS p
INNER JOIN summed AS s ON p.id = s.id
WHERE p.state <> 'frozen' AND s.untold > 0 AND s.items > 0
UNION ALL
SELECT
    'plan ' || p.id || ' archived ' || s.archived_items || ' items of ' || s.archived_bytes
    || ' bytes, and says otherwise'
FROM prune_plan AS p
INNER JOIN summed AS s ON p.id = s.id
WHERE
    p.state <> 'frozen'
    AND (p.archived_items, p.archived_bytes) IS DISTINCT FROM (s.archived_items, s.archived_bytes)
UNION ALL
SELECT
    'plan ' || p.id || ' brought back ' || s.back_items || ' items of ' || s.back_bytes || ' bytes, and says otherwise'
FROM prune_plan AS p
INNER JOIN summed AS s ON p.id = s.id
WHERE
    p.state = 'undone' AND (p.restored_items, p.restored_bytes) IS DISTINCT FROM (s.back_items, s.back_bytes)
    OR p.state <> 'undone' AND (s.back_items > 0 OR p.restored_items IS NOT NULL)
UNION ALL
SELECT 'item ' || r.item_id || ' came back from plan ' || r.plan_id || ' as something else'
FROM prune_plan_item AS r
WHERE r.fingerprint_back IS NOT NULL AND r.fingerprint_back IS DISTINCT FROM r.fingerprint
UNION ALL
SELECT 'item ' || r.item_id || ' lies as plan ' || r.plan_id || ' left it, which was undone'
FROM prune_plan_item AS r
INNER JOIN prune_plan AS p ON r.plan_id = p.id
INNER JOIN memory_item AS i ON r.item_id = i.id
WHERE p.state = 'undone' AND r.outcome = 'archived' AND i.version <= r.left_version
UNION ALL
SELECT 'item ' || r.item_id || ' was archived once, and by plans ' || string_agg(r.plan_id::text, ', ' ORDER BY r.plan_id)
FROM prune_plan_item AS r
WHERE r.outcome = 'archived'
GROUP BY r.item_id, r.left_version
HAVING count(*) > 1

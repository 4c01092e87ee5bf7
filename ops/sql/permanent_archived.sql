-- I4: no job archived a permanent item.
SELECT 'item ' || item_id || ' is permanent, and run ' || run_id || ' archived it'
FROM meditation_decision
WHERE act = 'archived' AND tier = 'permanent'

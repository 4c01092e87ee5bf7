-- The same as user_by_item, for a call that may be about a purged item: its tombstone still says why.
SELECT u.id, u.external_id, u.state, u.plan_id, p.write_per_minute, p.query_per_minute
FROM memory_item AS i
INNER JOIN memory_user AS u ON u.id = i.user_id
INNER JOIN plan AS p ON p.slug = u.plan_id
WHERE i.id = %(item_id)s::uuid AND u.state <> 'erased'

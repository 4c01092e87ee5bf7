-- The same as user_by_external_id, for a key that is bound to the user.
SELECT u.id, u.external_id, u.state, u.plan_id, p.write_per_minute, p.query_per_minute
FROM memory_user AS u
INNER JOIN plan AS p ON p.slug = u.plan_id
WHERE u.id = %(user_id)s::uuid AND u.state <> 'erased'

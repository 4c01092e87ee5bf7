-- What decides whether a call about this user may pass; erased users are gone.
SELECT u.id, u.external_id, u.state, u.plan_id, p.write_per_minute, p.query_per_minute
FROM memory_user AS u
INNER JOIN plan AS p ON p.slug = u.plan_id
WHERE u.external_id = %(external_id)s AND u.state <> 'erased'

-- Take the next shard that waits: of one user's runs first, for whom somebody may be waiting.
UPDATE meditation_shard
SET
    state = 'running',
    tries = tries + 1,
    heartbeat_at = %(now)s::timestamptz,
    started_at = %(now)s::timestamptz,
    error = ''
WHERE
    id = (
        SELECT s.id
        FROM meditation_shard AS s
        INNER JOIN meditation_run AS r ON s.run_id = r.id
        WHERE
            s.state = 'queued'
            AND r.state = 'running'
            AND (
                s.is_canary
                OR NOT EXISTS (
                    SELECT FROM meditation_shard AS first
                    WHERE first.run_id = r.id AND first.is_canary AND first.state IN ('queued', 'running')
                )
            )
        ORDER BY r.scope <> 'user', r.created_at, s.number
        LIMIT 1
        FOR UPDATE OF s SKIP LOCKED
    )
RETURNING id

-- I8: whatever says that it runs has given a sign of life, and no run waits for nothing. The watchdog looks each
-- minute: what it has not found after three is a violation.
SELECT 'shard ' || s.number || ' of run ' || s.run_id || ' runs, and was heard last at ' || s.heartbeat_at
FROM meditation_shard AS s
WHERE s.state = 'running' AND s.heartbeat_at < %(now)s::timestamptz - %(limit)s::interval
UNION ALL
SELECT 'run ' || r.id || ' runs, and no shard of it is left'
FROM meditation_run AS r
WHERE
    r.state = 'running'
    AND r.started_at < %(now)s::timestamptz - %(limit)s::interval
    AND NOT EXISTS (
        SELECT FROM meditation_shard AS s
        WHERE
            s.run_id = r.id
            AND (s.state IN ('queued', 'running') OR s.ended_at > %(now)s::timestamptz - %(limit)s::interval)
    )

-- Take the undo that waits for longest: nobody works on it, or nothing was heard of who did.
UPDATE meditation_undo
SET heartbeat_at = %(now)s::timestamptz
WHERE
    id = (
        SELECT id
        FROM meditation_undo
        WHERE state = 'running' AND (heartbeat_at IS NULL OR heartbeat_at < %(silent_before)s::timestamptz)
        ORDER BY created_at, id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING id

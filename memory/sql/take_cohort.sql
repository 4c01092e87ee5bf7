-- Take the cohort that waits for longest: nobody works on it, or nothing was heard of who did.
UPDATE plan_cohort
SET heartbeat_at = %(now)s::timestamptz
WHERE
    id = (
        SELECT id
        FROM plan_cohort
        WHERE
            state IN ('planning', 'applying', 'undoing')
            AND (heartbeat_at IS NULL OR heartbeat_at < %(silent_before)s::timestamptz)
        ORDER BY begun_at, id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING id

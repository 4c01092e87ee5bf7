-- Shards on which nobody works any more: the worker's lock is free a while after its last sign of life, or there was
-- no sign of life for so long that whoever holds the lock is frozen.
SELECT id FROM meditation_shard
WHERE
    state = 'running'
    AND (
        heartbeat_at < %(frozen_before)s::timestamptz
        OR (
            heartbeat_at < %(dead_before)s::timestamptz
            AND pg_try_advisory_xact_lock(hashtextextended('shard ' || id, 0))
        )
    )
ORDER BY id

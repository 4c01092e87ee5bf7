-- While this transaction lives, everybody can see that somebody works on the shard.
SELECT pg_advisory_xact_lock(hashtextextended('shard ' || %(shard_id)s::uuid, 0))

-- What the shards of one run did, summed; nothing where there is no run.
SELECT
    COALESCE(sum(kept), 0)::bigint AS kept,
    COALESCE(sum(promoted), 0)::bigint AS promoted,
    COALESCE(sum(archived), 0)::bigint AS archived,
    COALESCE(sum(purged), 0)::bigint AS purged,
    COALESCE(sum(protected), 0)::bigint AS protected
FROM meditation_shard
WHERE run_id = %(run_id)s::uuid

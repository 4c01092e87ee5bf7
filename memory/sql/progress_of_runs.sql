-- How far these runs of the meditation are, from their shards, and when somebody who works on one was last heard of.
-- Users whom another run had stand in a later shard once more: a shard that is done counts those it did.
SELECT
    run_id,
    count(*) AS shards,
    count(*) FILTER (WHERE state = 'succeeded') AS shards_done,
    count(*) FILTER (WHERE state = 'failed') AS shards_failed,
    count(*) FILTER (WHERE state = 'running') AS shards_running,
    sum(CASE WHEN state = 'succeeded' THEN users_done ELSE cardinality(user_ids) END)::bigint AS users,
    sum(users_done)::bigint AS users_done,
    coalesce(sum(cardinality(user_ids)) FILTER (WHERE state = 'failed'), 0)::bigint AS users_failed,
    sum(items_scored)::bigint AS items_scored,
    sum(kept)::bigint AS kept,
    sum(protected)::bigint AS protected,
    sum(promoted)::bigint AS promoted,
    sum(archived)::bigint AS archived,
    sum(purged)::bigint AS purged,
    sum(freed_bytes)::bigint AS freed_bytes,
    greatest(max(heartbeat_at), max(ended_at)) AS heard_at,
    (SELECT max(u.ended_at) FROM meditation_undo AS u WHERE u.run_id = meditation_shard.run_id AND u.state = 'ended') AS undone_at
FROM meditation_shard
WHERE run_id = ANY(%(run_ids)s::uuid[])
GROUP BY run_id

-- The smallest head of the order whose bytes reach the target, from `scored`: every active item of the user with its
-- score. The order: the lowest score / sqrt(size_bytes) first. Protected items never.
INSERT INTO prune_plan_item (
    plan_id, position, item_id, tier, version, size_bytes, fingerprint, score, inputs, outcome
)
SELECT
    %(plan_id)s::uuid, o.position, o.id, o.tier, o.version, o.size_bytes,
    memory_fingerprint(o.content, o.metadata, o.tier, o.created_at), s.score,
    to_jsonb(s) - ARRAY['item_id', 'user_id', 'score'], ''
FROM (
    SELECT
        i.content,
        i.metadata,
        i.created_at,
        i.id,
        i.tier,
        i.version,
        i.size_bytes,
        row_number() OVER goes AS position,
        sum(i.size_bytes) OVER goes AS bytes_so_far
    FROM memory_item AS i
    INNER JOIN scored AS s ON i.id = s.item_id
    WHERE
        i.user_id = %(user_id)s::uuid
        AND i.state = 'active'
        AND NOT i.protected
        AND i.tier = ANY(%(tiers)s::text[])
    WINDOW goes AS (ORDER BY s.score / sqrt(i.size_bytes::float8), i.id)
) AS o
INNER JOIN scored AS s ON o.id = s.item_id
WHERE o.bytes_so_far - o.size_bytes < %(target_bytes)s::bigint

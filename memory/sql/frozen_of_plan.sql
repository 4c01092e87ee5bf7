-- What a plan holds of each tier, how much is protected there, and the hash of the whole list.
WITH held AS (
    SELECT tier, count(*) AS items, sum(size_bytes)::bigint AS size_bytes
    FROM prune_plan_item
    WHERE plan_id = %(plan_id)s::uuid
    GROUP BY tier
),
kept AS (
    SELECT tier, count(*) AS items, sum(size_bytes)::bigint AS size_bytes
    FROM memory_item
    WHERE user_id = %(user_id)s::uuid AND state = 'active' AND protected AND tier = ANY(%(tiers)s::text[])
    GROUP BY tier
)
SELECT
    t.tier,
    COALESCE(h.items, 0) AS goes_items,
    COALESCE(h.size_bytes, 0) AS goes_bytes,
    COALESCE(k.items, 0) AS protected_items,
    COALESCE(k.size_bytes, 0) AS protected_bytes,
    (
        SELECT encode(sha256(convert_to(COALESCE(string_agg(item_id || ':' || version, E'\n' ORDER BY position), ''), 'UTF8')), 'hex')
        FROM prune_plan_item
        WHERE plan_id = %(plan_id)s::uuid
    ) AS list_sha256
FROM unnest(%(tiers)s::text[]) AS t (tier)
LEFT JOIN held AS h ON t.tier = h.tier
LEFT JOIN kept AS k ON t.tier = k.tier

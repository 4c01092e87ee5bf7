-- Of what may go, what a plan does not hold: the first by its order, from `scored`, every active item of the user with
-- its score.
SELECT
    i.id,
    i.size_bytes,
    s.score,
    to_jsonb(s) - ARRAY['item_id', 'user_id', 'score'] AS inputs
FROM memory_item AS i
INNER JOIN scored AS s ON i.id = s.item_id
WHERE
    i.user_id = %(user_id)s::uuid
    AND i.state = 'active'
    AND NOT i.protected
    AND i.tier = ANY(%(tiers)s::text[])
    AND NOT EXISTS (
        SELECT FROM prune_plan_item AS p WHERE p.plan_id = %(plan_id)s::uuid AND p.item_id = i.id
    )
ORDER BY s.score / sqrt(i.size_bytes::float8), i.id
LIMIT %(size)s::int

-- Who was refused for lack of room since a time: for each tier the most refused first, with the sums over all of them.
WITH refused AS (
    SELECT
        r.tier,
        r.user_id,
        sum(r.times)::bigint AS writes,
        (array_agg(r.needed_bytes ORDER BY r.refused_at DESC, r.id DESC))[1] AS needed_bytes,
        max(r.last_refused_at) AS last_at
    FROM refusal AS r
    INNER JOIN memory_user AS u ON u.id = r.user_id AND u.purpose = 'customer'
    WHERE r.kind = 'quota' AND r.refused_at >= %(since)s::timestamptz AND r.refused_at <= %(now)s::timestamptz
    GROUP BY r.tier, r.user_id
),
ranked AS (
    SELECT
        refused.*,
        row_number() OVER (PARTITION BY tier ORDER BY writes DESC, user_id) AS place,
        count(*) OVER (PARTITION BY tier) AS users,
        sum(writes) OVER (PARTITION BY tier)::bigint AS all_writes
    FROM refused
)
SELECT
    tier,
    user_id,
    writes,
    needed_bytes,
    last_at,
    users,
    all_writes
FROM ranked
WHERE place <= %(size)s::int
ORDER BY tier, place

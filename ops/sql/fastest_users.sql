-- Customers whose tier grew most since an hour that was sampled, up to this moment, and some that are asked for by id;
-- each with its limits and throttles, and the sums over all that grew. Who has no sample of that time had nothing then.
WITH moved AS (
    -- Whose newest sample is older than that hour has that one as the level of it; of the others it is looked up below.
    SELECT
        c.user_id,
        c.active_bytes,
        c.active_items,
        CASE WHEN s.hour <= %(hour)s::timestamptz THEN s.active_bytes END AS based_bytes,
        CASE WHEN s.hour <= %(hour)s::timestamptz THEN s.active_items END AS based_items
    FROM usage_counter AS c
    LEFT JOIN usage_sample AS s ON s.tier = %(tier)s AND s.user_id = c.user_id AND s.next_hour IS NULL
    WHERE
        c.tier = %(tier)s
        AND (
            s.hour > %(hour)s::timestamptz
            OR c.active_bytes > COALESCE(s.active_bytes, 0)
            OR c.user_id = ANY(%(user_ids)s::uuid[])
        )
),
grown AS MATERIALIZED (
    SELECT
        m.user_id,
        m.active_bytes,
        m.active_items,
        m.active_bytes - COALESCE(m.based_bytes, b.active_bytes, 0) AS growth_bytes,
        m.active_items - COALESCE(m.based_items, b.active_items, 0) AS growth_items
    FROM moved AS m
    LEFT JOIN usage_sample AS b
        ON
            b.tier = %(tier)s
            AND b.user_id = m.user_id
            AND b.next_hour > %(hour)s::timestamptz
            AND b.hour <= %(hour)s::timestamptz
    WHERE
        m.active_bytes > COALESCE(m.based_bytes, b.active_bytes, 0) OR m.user_id = ANY(%(user_ids)s::uuid[])
),
limited AS MATERIALIZED (
    SELECT
        g.*,
        COALESCE(o.hard_bytes, p.hard_bytes) AS limit_bytes,
        p.soft_bytes,
        p.hard_bytes AS plan_bytes,
        upper(o.period) AS override_ends_at,
        u.external_id,
        u.display_name,
        u.plan_id,
        n.write_per_minute
    FROM grown AS g
    INNER JOIN memory_user AS u ON u.id = g.user_id AND u.purpose = 'customer'
    INNER JOIN plan AS n ON n.slug = u.plan_id
    INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = %(tier)s
    LEFT JOIN quota_override AS o
        ON o.user_id = g.user_id AND o.tier = %(tier)s AND o.period @> %(now)s::timestamptz
),
sums AS (
    -- As memory.rules.forecast tells it: full is what has no room for one more write of the mean size.
    SELECT
        count(*) FILTER (WHERE growth_bytes > 0) AS users,
        COALESCE(sum(growth_bytes) FILTER (WHERE growth_bytes > 0), 0)::bigint AS bytes,
        count(*) FILTER (
            WHERE
            growth_bytes > 0
            AND active_bytes + write_bytes <= limit_bytes
            AND active_bytes + write_bytes + growth_bytes / %(hours)s::float8 > limit_in_an_hour
        ) AS full_within_an_hour
    FROM limited
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN growth_items > 0 THEN growth_bytes / growth_items ELSE active_bytes / GREATEST(active_items, 1) END
                AS write_bytes,
            CASE WHEN override_ends_at <= %(now)s::timestamptz + interval '1 hour' THEN plan_bytes ELSE limit_bytes END
                AS limit_in_an_hour
    ) AS hence
),
fastest AS (
    SELECT user_id
    FROM limited
    WHERE growth_bytes > 0
    ORDER BY growth_bytes DESC, user_id
    LIMIT %(size)s::int
)
SELECT
    limited.*,
    -- The throttles of their writes in force; a block is the strictest.
    (
        SELECT jsonb_agg(
            jsonb_build_array(t.id, t.scope, t.per_minute, upper(t.period)) ORDER BY t.per_minute NULLS FIRST, t.id
        )
        FROM throttle AS t
        WHERE t.user_id = limited.user_id AND t.period @> %(now)s::timestamptz AND t.scope <> 'query'
    ) AS brakes,
    sums.users,
    sums.bytes,
    sums.full_within_an_hour
FROM limited
CROSS JOIN sums
WHERE limited.user_id IN (SELECT user_id FROM fastest) OR limited.user_id = ANY(%(user_ids)s::uuid[])
ORDER BY limited.growth_bytes DESC, limited.user_id

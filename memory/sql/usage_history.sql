-- The hours that were sampled since, and one user's samples that held in any of them, in one reading.
SELECT
    NULL AS tier,
    hour,
    NULL::timestamptz AS next_hour,
    taken_at,
    NULL::bigint AS active_bytes
FROM usage_sampling
WHERE hour >= %(since)s::timestamptz AND taken_at <= %(now)s::timestamptz
UNION ALL
SELECT
    tier,
    hour,
    next_hour,
    NULL,
    active_bytes
FROM usage_sample
WHERE user_id = %(user_id)s::uuid AND (next_hour IS NULL OR next_hour > %(since)s::timestamptz)
ORDER BY hour, tier

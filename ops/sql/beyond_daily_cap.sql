-- I7: of no tier more went in a day than its cap. Only days that began after the policy and the user were changed
-- last can be held against the policy as it is.
SELECT
    'user ' || d.user_id || ' ' || d.tier || ' on ' || d.day::date || ': ' || d.size_bytes
    || ' bytes archived to bring it down, allowed are ' || floor(p.daily_cap_share * p.hard_bytes)::bigint
FROM (
    SELECT
        user_id,
        tier,
        date_trunc('day', decided_at, 'UTC') AS day,
        sum(size_bytes) AS size_bytes
    FROM meditation_decision
    WHERE reason = 'soft-limit'
    GROUP BY user_id, tier, date_trunc('day', decided_at, 'UTC')
) AS d
INNER JOIN memory_user AS u ON d.user_id = u.id
INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id AND d.tier = p.tier
WHERE
    d.size_bytes > floor(p.daily_cap_share * p.hard_bytes)
    AND d.day >= p.changed_at
    AND d.day >= u.changed_at

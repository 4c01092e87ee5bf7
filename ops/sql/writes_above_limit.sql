-- I3: no accepted write left its user above the limit in force at that time. A user may be above it now because an
-- override ended or a policy was lowered: then no item took its room afterwards, or the limit at that time allowed it.
SELECT
    'user ' || c.user_id || ' ' || c.tier || ' holds ' || c.active_bytes || ' bytes, but the limit was '
    || at_the_time.limit_bytes || ' when the newest of them was written'
FROM usage_counter AS c
INNER JOIN memory_user AS u ON u.id = c.user_id
INNER JOIN tier_policy AS p ON p.plan_id = u.plan_id AND p.tier = c.tier
CROSS JOIN LATERAL (
    SELECT max(i.changed_at) AS written_at
    FROM memory_item AS i
    WHERE i.user_id = c.user_id AND i.tier = c.tier AND i.state = 'active'
) AS newest
-- Calls that meet the beginning or the end of an override pass in any order: the minute before the write counts as one.
CROSS JOIN LATERAL (
    SELECT tstzrange(newest.written_at - interval '1 minute', newest.written_at, '[]') AS minute
) AS last
CROSS JOIN LATERAL (
    SELECT
        GREATEST(
            max(o.hard_bytes),
            CASE WHEN count(*) FILTER (WHERE o.period @> last.minute) = 0 THEN p.hard_bytes END
        ) AS limit_bytes
    FROM quota_override AS o
    WHERE o.user_id = c.user_id AND o.tier = c.tier AND o.period && last.minute
) AS at_the_time
WHERE
    c.active_bytes > at_the_time.limit_bytes
    -- A policy, or the user's plan, that changed later says nothing about the time of the write.
    AND p.changed_at <= newest.written_at
    AND u.changed_at <= newest.written_at
ORDER BY c.user_id, c.tier

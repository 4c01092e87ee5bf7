-- I9: an expired override or throttle has no effect. None can be without an end, and no two hold at once.
SELECT 'override ' || id || ' has no end'
FROM quota_override
WHERE isempty(period) OR upper(period) IS NULL OR NOT isfinite(upper(period))
UNION ALL
SELECT 'throttle ' || id || ' has no end'
FROM throttle
WHERE isempty(period) OR upper(period) IS NULL OR NOT isfinite(upper(period))
UNION ALL
SELECT 'user ' || user_id || ' ' || tier || ' has ' || count(*) || ' overrides in force at once'
FROM quota_override
WHERE period @> %(now)s::timestamptz
GROUP BY user_id, tier
HAVING count(*) > 1

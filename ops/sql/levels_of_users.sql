-- The samples of some users in one tier that held at any time since, oldest first.
SELECT
    user_id,
    hour,
    active_bytes
FROM usage_sample
WHERE
    tier = %(tier)s
    AND user_id = ANY(%(user_ids)s::uuid[])
    AND (next_hour IS NULL OR next_hour > %(since)s::timestamptz)
ORDER BY user_id, hour

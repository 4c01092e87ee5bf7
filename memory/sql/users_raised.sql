-- Users of whom a tier has another limit than the plan's now.
SELECT DISTINCT user_id FROM quota_override
WHERE period @> %(now)s::timestamptz AND (%(tier)s::text IS NULL OR tier = %(tier)s::text)

-- Users under a throttle of their own now.
SELECT DISTINCT user_id FROM throttle WHERE user_id IS NOT NULL AND period @> %(now)s::timestamptz

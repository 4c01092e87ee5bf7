-- Count a call over a rate, under a throttle or of a suspended user: one row for each user, rule, client and minute.
INSERT INTO refusal (
    user_id, kind, tier, limit_per_minute, source, source_id, client_id, request_id, refused_at, last_refused_at, minute,
    times
)
VALUES (
    %(user_id)s::uuid, %(kind)s, '', %(limit_per_minute)s::int, %(source)s, %(source_id)s, %(client_id)s::uuid,
    %(request_id)s, %(now)s::timestamptz, %(now)s::timestamptz, date_trunc('minute', %(now)s::timestamptz), 1
)
ON CONFLICT (user_id, kind, source_id, client_id, minute) WHERE minute IS NOT NULL
DO UPDATE SET times = refusal.times + 1, last_refused_at = excluded.last_refused_at

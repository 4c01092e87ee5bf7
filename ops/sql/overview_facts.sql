-- What the overview asks of the database itself: the audit queue, the last check, beat, refusals, measures in force,
-- the last meditation of all, and customers (counting stops behind so many).
SELECT
    pending.entries,
    pending.oldest_at,
    (SELECT sealed_at FROM audit_seal ORDER BY number DESC LIMIT 1),
    checked.last_at,
    checked.violated,
    (SELECT max(last_run_at) FROM django_celery_beat_periodictask WHERE enabled),
    refused.calls,
    refused.calls_before,
    refused.users,
    (
        SELECT count(DISTINCT user_id) FROM throttle
        WHERE user_id IS NOT NULL AND period @> %(now)s::timestamptz
    ),
    (SELECT count(DISTINCT user_id) FROM quota_override WHERE period @> %(now)s::timestamptz),
    (SELECT count(*) FROM meditation_run WHERE state = 'held'),
    night.state,
    night.created_at,
    (SELECT count(*) FROM (SELECT FROM memory_user WHERE purpose = 'customer' LIMIT %(most)s::bigint) AS counted)
FROM
    (
        -- By their ids, which tell when they were written: an act that is told later bears an earlier time.
        SELECT
            (SELECT count(*) FROM audit_pending) AS entries,
            (SELECT uuid_extract_timestamp(entry_id) FROM audit_pending ORDER BY entry_id LIMIT 1) AS oldest_at
    ) AS pending,
    (
        SELECT
            max(checked_at) AS last_at,
            coalesce(string_agg(invariant, ', ' ORDER BY invariant) FILTER (WHERE violations > 0), '') AS violated
        FROM invariant_check
    ) AS checked,
    (
        SELECT
            coalesce(sum(times) FILTER (WHERE r.refused_at >= %(hour_ago)s::timestamptz), 0)::bigint AS calls,
            coalesce(sum(times) FILTER (WHERE r.refused_at < %(hour_ago)s::timestamptz), 0)::bigint AS calls_before,
            count(DISTINCT r.user_id) FILTER (WHERE r.refused_at >= %(hour_ago)s::timestamptz) AS users
        FROM refusal AS r
        INNER JOIN memory_user AS u ON u.id = r.user_id AND u.purpose = 'customer'
        WHERE r.refused_at >= %(two_hours_ago)s::timestamptz
    ) AS refused
LEFT JOIN (
    SELECT state, created_at FROM meditation_run WHERE scope = 'all'
    ORDER BY created_at DESC, id DESC
    LIMIT 1
) AS night ON TRUE

-- What the overview asks of the database itself: the audit queue, the last check, beat, refusals and measures in force.
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
    (SELECT count(DISTINCT user_id) FROM quota_override WHERE period @> %(now)s::timestamptz)
FROM
    (
        SELECT count(*) AS entries, min(e.at) AS oldest_at
        FROM audit_pending AS p
        INNER JOIN audit_entry AS e ON e.id = p.entry_id
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

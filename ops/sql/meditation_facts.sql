-- What the page of the meditation asks beside its list: a run that waits for somebody, else that of all users that is under
-- way, else the last night's;
-- the last runs of all users that ended; who is behind; and when beat sends the next one.
SELECT
    newest.run::text,
    drawn.runs::text,
    users.customers,
    users.behind,
    beat.enabled,
    beat.minute,
    beat.hour,
    beat.day_of_month,
    beat.month_of_year,
    beat.day_of_week,
    beat.timezone
FROM
    (
        SELECT
            count(*) AS customers,
            count(*) FILTER (WHERE coalesce(s.scored_at, u.created_at) < %(behind_before)s::timestamptz) AS behind
        FROM memory_user AS u
        LEFT JOIN user_scoring AS s ON u.id = s.user_id
        WHERE u.purpose = 'customer' AND u.state IN ('active', 'suspended')
    ) AS users
CROSS JOIN (
    SELECT coalesce(jsonb_agg(to_jsonb(last) ORDER BY last.created_at, last.id), '[]') AS runs
    FROM (
        SELECT * FROM meditation_run
        WHERE scope = 'all' AND state IN ('succeeded', 'failed', 'aborted')
        ORDER BY created_at DESC, id DESC
        LIMIT %(drawn)s::bigint
    ) AS last
) AS drawn
LEFT JOIN (
    SELECT run FROM (
        (
            SELECT to_jsonb(r) AS run, 1 AS place FROM meditation_run AS r
            WHERE state = 'held' OR (scope = 'all' AND state IN ('queued', 'running'))
            ORDER BY state <> 'held', created_at, id
            LIMIT 1
        )
        UNION ALL
        (
            SELECT to_jsonb(r), 2 FROM meditation_run AS r
            WHERE trigger = 'nightly'
            ORDER BY created_at DESC, id DESC
            LIMIT 1
        )
    ) AS either
    ORDER BY place
    LIMIT 1
) AS newest ON TRUE
LEFT JOIN (
    SELECT
        p.enabled, c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week, c.timezone
    FROM django_celery_beat_periodictask AS p
    INNER JOIN django_celery_beat_crontabschedule AS c ON p.crontab_id = c.id
    WHERE p.name = %(schedule)s
) AS beat ON TRUE

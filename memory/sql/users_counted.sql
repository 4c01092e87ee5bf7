-- How many customers there are (counting stops behind so many), and how many of them a measure or their state concerns.
SELECT
    (SELECT count(*) FROM (SELECT FROM memory_user WHERE purpose = 'customer' LIMIT %(most)s::bigint) AS counted),
    (SELECT count(*) FROM memory_user WHERE state = 'suspended' AND purpose = 'customer'),
    (
        SELECT count(DISTINCT t.user_id) FROM throttle AS t
        INNER JOIN memory_user AS u ON u.id = t.user_id AND u.purpose = 'customer'
        WHERE t.period @> %(now)s::timestamptz
    ),
    (
        SELECT count(DISTINCT o.user_id) FROM quota_override AS o
        INNER JOIN memory_user AS u ON u.id = o.user_id AND u.purpose = 'customer'
        WHERE o.period @> %(now)s::timestamptz
    )

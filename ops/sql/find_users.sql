-- Customers whose external id, e-mail, name or last name begins so, capitals or not: at most so many of each.
-- Bytes are compared, not patterns: nothing that is typed has a meaning of its own, and each part reads one index.
WITH found AS (
    (
        SELECT id, 1 AS place, lower(external_id) AS word
        FROM memory_user
        WHERE
            lower(external_id) ~>=~ lower(%(beginning)s::text)
            AND lower(external_id) ~<~ (lower(%(beginning)s::text) || chr(1114111))
            AND purpose = 'customer'
        ORDER BY lower(external_id) USING ~<~
        LIMIT %(most)s::bigint
    )
    UNION ALL
    (
        SELECT id, 2, lower(email)
        FROM memory_user
        WHERE
            lower(email) ~>=~ lower(%(beginning)s::text)
            AND lower(email) ~<~ (lower(%(beginning)s::text) || chr(1114111))
            AND email <> '' AND purpose = 'customer'
        ORDER BY lower(email) USING ~<~
        LIMIT %(most)s::bigint
    )
    UNION ALL
    (
        SELECT id, 3, lower(display_name)
        FROM memory_user
        WHERE
            lower(display_name) ~>=~ lower(%(beginning)s::text)
            AND lower(display_name) ~<~ (lower(%(beginning)s::text) || chr(1114111))
            AND display_name <> '' AND purpose = 'customer'
        ORDER BY lower(display_name) USING ~<~
        LIMIT %(most)s::bigint
    )
    UNION ALL
    (
        SELECT id, 4, lower(substring(display_name, '[^ ]*$'))
        FROM memory_user
        WHERE
            lower(substring(display_name, '[^ ]*$')) ~>=~ lower(%(beginning)s::text)
            AND lower(substring(display_name, '[^ ]*$')) ~<~ (lower(%(beginning)s::text) || chr(1114111))
            AND display_name <> '' AND purpose = 'customer'
        ORDER BY lower(substring(display_name, '[^ ]*$')) USING ~<~
        LIMIT %(most)s::bigint
    )
)
SELECT id, min(place) FROM found GROUP BY id ORDER BY min(place), min(word), id LIMIT %(most)s::bigint

-- Users whose external id, e-mail, name or last name begins so, capitals or not (ops/sql/find_users.sql asks for few).
SELECT id AS user_id FROM memory_user
WHERE
    lower(external_id) ~>=~ lower(%(beginning)s::text)
    AND lower(external_id) ~<~ (lower(%(beginning)s::text) || chr(1114111))
UNION
SELECT id FROM memory_user
WHERE
    lower(email) ~>=~ lower(%(beginning)s::text)
    AND lower(email) ~<~ (lower(%(beginning)s::text) || chr(1114111))
    AND email <> ''
UNION
SELECT id FROM memory_user
WHERE
    lower(display_name) ~>=~ lower(%(beginning)s::text)
    AND lower(display_name) ~<~ (lower(%(beginning)s::text) || chr(1114111))
    AND display_name <> ''
UNION
SELECT id FROM memory_user
WHERE
    lower(substring(display_name, '[^ ]*$')) ~>=~ lower(%(beginning)s::text)
    AND lower(substring(display_name, '[^ ]*$')) ~<~ (lower(%(beginning)s::text) || chr(1114111))
    AND display_name <> ''

-- Insert a user unless the external id is taken; no row when it is.
INSERT INTO memory_user (
    external_id, display_name, email, plan_id, state, purpose, time_zone, version, created_at, changed_at
)
VALUES (
    %(external_id)s, %(display_name)s, %(email)s, %(plan)s, 'active', %(purpose)s, %(time_zone)s, 1, %(now)s::timestamptz,
    %(now)s::timestamptz
)
ON CONFLICT (external_id) DO NOTHING
RETURNING id

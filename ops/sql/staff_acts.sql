-- The last acts of staff, newest first: what, on which user, by whom, and under which ticket.
SELECT
    e.at,
    e.action,
    e.before::text,
    e.after::text,
    coalesce(nullif(concat_ws(' ', nullif(s.first_name, ''), nullif(s.last_name, '')), ''), s.username, ''),
    coalesce(t.ticket, ''),
    u.id,
    coalesce(nullif(u.display_name, ''), u.external_id, '')
FROM audit_entry AS e
LEFT JOIN audit_text AS t ON t.entry_id = e.id
LEFT JOIN auth_user AS s ON s.id::text = e.actor_id
-- Only these entries' subjects are UUIDs: PostgreSQL must not try to read another as one.
LEFT JOIN memory_user AS u ON u.id = CASE WHEN e.subject_kind = 'user' THEN e.subject_id::uuid END
-- Signing in changes nothing.
WHERE e.actor_kind = 'staff' AND e.action <> 'staff.signed_in'
ORDER BY e.at DESC, e.id DESC
LIMIT %(most)s::bigint

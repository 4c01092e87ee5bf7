-- Entries that are not in exactly one seal, nor waiting for one since less than the limit. What was inserted past the
-- queue's trigger waits for none; an id that is no UUIDv7 has no time, so the entry's own counts.
SELECT
    e.id,
    count(s.entry_id) AS seals,
    count(p.entry_id) > 0 AS waits
FROM audit_entry AS e
LEFT JOIN (SELECT unnest(entry_ids) AS entry_id FROM audit_seal) AS s ON s.entry_id = e.id
LEFT JOIN audit_pending AS p ON p.entry_id = e.id
GROUP BY e.id
HAVING
    CASE count(s.entry_id)
        WHEN 0 THEN
            count(p.entry_id) = 0 OR COALESCE(uuid_extract_timestamp(e.id), e.at) < %(oldest)s::timestamptz
        WHEN 1 THEN count(p.entry_id) > 0
        ELSE TRUE
    END
ORDER BY e.id

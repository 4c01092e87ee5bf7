-- I2: each item is exactly one of active, archived, purged; a purged one has a reason and nothing of the person.
SELECT 'item ' || id || ' is ' || state || ' but its columns say otherwise'
FROM memory_item
WHERE
    state NOT IN ('active', 'archived', 'purged')
    OR (state = 'purged' AND (
        content IS NOT NULL OR metadata IS NOT NULL OR embedding IS NOT NULL OR search_document IS NOT NULL
        OR purged_at IS NULL OR purge_reason = ''
    ))
    OR (state = 'active' AND (content IS NULL OR archived_at IS NOT NULL OR purged_at IS NOT NULL))
    OR (state = 'archived' AND (content IS NULL OR archived_at IS NULL OR purged_at IS NOT NULL))
ORDER BY id

-- Empty for good what was archived for as long as was promised. Tombstones stay; protected items never go.
WITH due AS MATERIALIZED (
    SELECT id, user_id, tier, size_bytes FROM memory_item
    WHERE
        user_id = ANY(%(user_ids)s::uuid[])
        AND state = 'archived'
        AND purge_after <= %(now)s::timestamptz
        AND NOT protected
),
changed AS (
    UPDATE memory_item AS i
    SET
        state = 'purged',
        content = NULL,
        metadata = NULL,
        embedding = NULL,
        embedding_model = NULL,
        consent = '',
        purged_at = %(now)s::timestamptz,
        purge_reason = 'grace',
        version = i.version + 1
    FROM due AS d
    WHERE i.id = d.id
    RETURNING i.id, i.version
),
forgotten AS (
    DELETE FROM item_score AS s USING due AS d WHERE s.item_id = d.id
),
kept AS (
    INSERT INTO meditation_decision (
        run_id, user_id, item_id, act, reason, tier, size_bytes, inputs, item_version, decided_at, undone_by
    )
    SELECT
        %(run_id)s::uuid, d.user_id, d.id, 'purged', 'grace', d.tier, d.size_bytes, '{}', c.version,
        %(now)s::timestamptz, ''
    FROM due AS d
    INNER JOIN changed AS c ON d.id = c.id
)
SELECT
    d.user_id,
    d.tier,
    'purged' AS act,
    'grace' AS reason,
    count(*) AS items,
    sum(d.size_bytes)::bigint AS size_bytes
FROM due AS d
INNER JOIN changed AS c ON d.id = c.id
GROUP BY d.user_id, d.tier

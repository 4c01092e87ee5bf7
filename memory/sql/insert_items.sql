-- Insert many items of one user whose room is taken already; gives the new ids in the order of the input.
WITH input AS MATERIALIZED (
    SELECT
        uuidv7() AS id,
        rows.*
    FROM unnest(
        %(tiers)s::text[], %(contents)s::text[], %(metadata)s::text[], %(sizes)s::int[], %(protected)s::boolean[],
        %(created_at)s::timestamptz[], %(life_seconds)s::int[], %(embeddings)s::halfvec[], %(embedding_models)s::text[]
    ) WITH ORDINALITY AS rows (
        tier, content, metadata, size_bytes, protected, created_at, life_seconds, embedding, embedding_model, place
    )
),
stored AS (
    INSERT INTO memory_item (
        id, user_id, tier, state, content, metadata, size_bytes, protected, version, created_at, changed_at, expires_at,
        access_count, archive_reason, purge_reason, created_by, consent, embedding, embedding_model
    )
    SELECT
        id, %(user_id)s::uuid, tier, 'active', content, metadata::jsonb, size_bytes, protected, 1, created_at,
        %(now)s::timestamptz, %(now)s::timestamptz + make_interval(secs => life_seconds), 0, '', '', %(created_by)s, '',
        embedding, embedding_model
    FROM input
)
SELECT
    id,
    %(now)s::timestamptz + make_interval(secs => life_seconds) AS expires_at
FROM input
ORDER BY place

-- These users were scored now.
INSERT INTO user_scoring (user_id, scored_at)
SELECT id, %(now)s::timestamptz FROM unnest(%(user_ids)s::uuid[]) AS id
ON CONFLICT (user_id) DO UPDATE SET scored_at = excluded.scored_at

-- Keep the scores of this transaction's table `scored`; a row that says the same stays as it is.
INSERT INTO item_score AS kept (
    item_id, score, relevance, emotional, predictive, recency, profile_version, scored_at
)
SELECT
    item_id, score, relevance, emotional, predictive, recency, %(profile_version)s::int, %(now)s::timestamptz
FROM scored
ON CONFLICT (item_id) DO UPDATE
SET
    score = excluded.score,
    relevance = excluded.relevance,
    emotional = excluded.emotional,
    predictive = excluded.predictive,
    recency = excluded.recency,
    profile_version = excluded.profile_version,
    scored_at = excluded.scored_at
WHERE
    (kept.score, kept.relevance, kept.emotional, kept.predictive, kept.recency, kept.profile_version)
    IS DISTINCT FROM (
        excluded.score, excluded.relevance, excluded.emotional, excluded.predictive, excluded.recency,
        excluded.profile_version
    )

-- Delete a batch of samples that said nothing any more at the cut. What still held then stays: history begins with it.
DELETE FROM usage_sample
WHERE (user_id, tier, hour) IN (
    SELECT
        user_id,
        tier,
        hour
    FROM usage_sample
    WHERE next_hour <= %(cut)s::timestamptz
    LIMIT %(rows)s::int
)

-- Customers who were there before the end of a window, and on whom no meditation was since its beginning: what one would
-- have done in it is not done yet.
SELECT u.id
FROM memory_user AS u
LEFT JOIN user_scoring AS s ON u.id = s.user_id
WHERE
    u.purpose = 'customer'
    AND u.created_at < %(until)s::timestamptz
    AND (s.scored_at IS NULL OR s.scored_at < %(since)s::timestamptz)

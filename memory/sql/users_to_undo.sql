-- The users of whom a run decided something that is not undone yet.
SELECT DISTINCT user_id FROM meditation_decision
WHERE run_id = %(run_id)s::uuid AND act <> 'purged' AND undone_at IS NULL
ORDER BY user_id

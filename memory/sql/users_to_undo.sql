-- The users of whom a run decided something that is not undone yet, without those of whom this undo has told already.
SELECT DISTINCT d.user_id FROM meditation_decision AS d
WHERE
    d.run_id = %(run_id)s::uuid
    AND d.act <> 'purged'
    AND d.undone_at IS NULL
    AND NOT EXISTS (
        SELECT FROM meditation_undo_user AS told
        WHERE told.undo_id = %(undo_id)s::uuid AND told.user_id = d.user_id
    )
ORDER BY d.user_id

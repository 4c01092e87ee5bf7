-- How often the user's items were written: a cached answer from before is old.
SELECT coalesce(sum(writes), 0)::bigint FROM usage_counter WHERE user_id = %(user_id)s::uuid

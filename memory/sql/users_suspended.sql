-- Users who are suspended.
SELECT id AS user_id FROM memory_user WHERE state = 'suspended'

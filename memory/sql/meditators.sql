-- Those of the users whom no other meditation has, locked until the transaction ends.
WITH asked AS MATERIALIZED (
    SELECT id FROM memory_user
    WHERE id = ANY(%(user_ids)s::uuid[]) AND state IN ('active', 'suspended')
)
SELECT id FROM asked WHERE pg_try_advisory_xact_lock(hashtextextended('meditation ' || id, 0)) ORDER BY id

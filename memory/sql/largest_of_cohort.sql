-- The users of a cohort of whom most would go: the first by bytes, and the first by their share of what was active.
WITH planned AS (
    SELECT
        member.id,
        member.user_id,
        plan.id AS plan_id,
        plan.items_total,
        plan.bytes_total,
        plan.cap_bytes,
        (
            SELECT sum((tier.facts ->> 'used_bytes')::bigint)
            FROM jsonb_each(plan.facts) AS tier (name, facts)
        )::bigint AS used_bytes
    FROM plan_cohort_user AS member
    INNER JOIN prune_plan AS plan ON plan.id = member.plan_id
    WHERE member.cohort_id = %(cohort_id)s::uuid AND plan.items_total > 0
),

placed AS (
    SELECT
        planned.*,
        row_number() OVER (ORDER BY bytes_total DESC, id) AS by_bytes,
        row_number() OVER (ORDER BY bytes_total::float / nullif(used_bytes, 0) DESC NULLS LAST, id) AS by_share
    FROM planned
)

SELECT
    placed.user_id,
    person.external_id,
    person.display_name,
    placed.plan_id,
    placed.items_total,
    placed.bytes_total,
    placed.used_bytes,
    placed.cap_bytes,
    placed.by_bytes,
    placed.by_share
FROM placed
INNER JOIN memory_user AS person ON person.id = placed.user_id
WHERE placed.by_bytes <= %(most)s::bigint OR placed.by_share <= %(most)s::bigint
ORDER BY placed.by_bytes

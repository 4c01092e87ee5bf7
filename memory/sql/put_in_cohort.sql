-- Make these users those of the cohort; nothing is planned of them yet.
INSERT INTO plan_cohort_user (cohort_id, user_id, became, round, refusal, says)
SELECT %(cohort_id)s::uuid, chosen.user_id, 'waiting', 0, '', ''
FROM unnest(%(user_ids)s::uuid[]) AS chosen (user_id)

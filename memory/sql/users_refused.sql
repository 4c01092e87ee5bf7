-- Users of whom a call was refused since midnight UTC.
SELECT DISTINCT user_id FROM refusal
WHERE last_refused_at >= %(midnight)s::timestamptz AND refused_at >= %(midnight)s::timestamptz - interval '1 minute'

-- Every active item of some users with its components, its score and the inputs that they came from: the recipe of
-- memory.rules.scoring and, for P5, of 10-memory. Ranks, idf and ends are those of one user's active items.
WITH items AS MATERIALIZED (
    SELECT
        i.id,
        i.user_id,
        i.created_at,
        i.access_count,
        i.embedding,
        i.embedding_model,
        i.search_document,
        regexp_count(i.content, '[[:lower:][:digit:],;:"''] +[[:upper:]][[:lower:]]') AS names,
        (i.content ~* '\m(i|me|my|mine|myself|we|us|our|ours)\M')::int AS first_person,
        (strpos(i.content, '?') > 0)::int AS question,
        (i.content ~ '[0-9]')::int AS digit
    FROM memory_item AS i
    WHERE i.user_id = ANY(%(user_ids)s::uuid[]) AND i.state = 'active'
),
users AS MATERIALIZED (
    SELECT user_id, count(*)::float8 AS items, max(created_at) AS newest_at FROM items GROUP BY user_id
),
words AS MATERIALIZED (
    SELECT i.id, i.user_id, word.lexeme
    FROM items AS i CROSS JOIN LATERAL unnest(tsvector_to_array(i.search_document)) AS word (lexeme)
),
rarity AS MATERIALIZED (
    -- Robertson and Sparck Jones, as in retrieval.
    SELECT w.user_id, w.lexeme, ln(1 + (u.items - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) AS idf
    FROM words AS w
    INNER JOIN users AS u ON w.user_id = u.user_id
    GROUP BY w.user_id, w.lexeme, u.items
),
specific AS MATERIALIZED (
    SELECT
        w.id,
        sum(r.idf) AS idf_sum,
        (array_agg(r.idf ORDER BY r.idf DESC))[1:3] AS rarest
    FROM words AS w
    INNER JOIN rarity AS r ON w.user_id = r.user_id AND w.lexeme = r.lexeme
    GROUP BY w.id
),
ranked AS (
    -- Rounded: sums of the same figures in another order are equal, and no rank may hang on their last bit.
    SELECT
        i.*,
        s.id IS NOT NULL AS has_words,
        percent_rank() OVER (PARTITION BY i.user_id ORDER BY round(s.top3 * 1e9) NULLS FIRST) AS top3_rank,
        percent_rank() OVER (PARTITION BY i.user_id ORDER BY round(s.idf_sum * 1e9) NULLS FIRST) AS sum_rank,
        percent_rank() OVER (PARTITION BY i.user_id ORDER BY i.names) AS names_rank
    FROM items AS i
    LEFT JOIN (
        SELECT id, idf_sum, (SELECT avg(idf) FROM unnest(rarest) AS idf) AS top3 FROM specific
    ) AS s ON i.id = s.id
),
expected AS (
    -- P5 without its sigmoid, which changes no rank. What has no words ranks lowest.
    SELECT
        r.*,
        CASE WHEN has_words THEN
            2.34 * top3_rank + 1.16 * sum_rank + 0.34 * names_rank + 0.93::float8 * first_person
            - 0.50::float8 * question + 0.50::float8 * digit
        ELSE '-infinity'::float8 END AS p5
    FROM ranked AS r
),
said AS MATERIALIZED (
    SELECT
        f.item_id,
        count(*) FILTER (WHERE f.helpful) AS helpful,
        count(*) FILTER (WHERE NOT f.helpful) AS unhelpful,
        (array_agg(f.emotional_weight ORDER BY f.created_at DESC, f.id DESC) FILTER (WHERE f.emotional_weight IS NOT NULL))[1]
            AS emotional
    FROM item_feedback AS f
    WHERE f.item_id = ANY(ARRAY(SELECT id FROM items))
    GROUP BY f.item_id
),
goals AS MATERIALIZED (
    SELECT user_id, embedding, embedding_model FROM goal
    WHERE user_id = ANY(%(user_ids)s::uuid[]) AND embedding IS NOT NULL
),
closest AS MATERIALIZED (
    SELECT i.id, max(1 - (i.embedding <=> g.embedding)) AS cosine
    FROM items AS i
    INNER JOIN goals AS g ON i.user_id = g.user_id AND i.embedding_model = g.embedding_model
    WHERE i.embedding IS NOT NULL
    GROUP BY i.id
),
inputs AS (
    SELECT
        e.id,
        e.user_id,
        e.top3_rank,
        e.sum_rank,
        e.names_rank,
        e.first_person,
        e.question,
        e.digit,
        e.has_words,
        e.access_count,
        c.cosine,
        -- PostgreSQL refuses products that are too small for a number; what is not seen in six decimals is nothing.
        CASE WHEN said.emotional < 0.0000001 THEN 0 ELSE said.emotional END AS emotional,
        coalesce(said.helpful, 0) AS helpful,
        coalesce(said.unhelpful, 0) AS unhelpful,
        CASE WHEN u.items = 1 THEN 0.5::float8 ELSE percent_rank() OVER (PARTITION BY e.user_id ORDER BY round(e.p5 * 1e9)) END AS rank,
        extract(EPOCH FROM u.newest_at - e.created_at)::float8 / 86400 AS age_days
    FROM expected AS e
    INNER JOIN users AS u ON e.user_id = u.user_id
    LEFT JOIN said ON e.id = said.item_id
    LEFT JOIN closest AS c ON e.id = c.id
),
aged AS (
    SELECT
        i.*,
        power(2::float8, -least(i.age_days / %(half_life_days)s::float8, 1000)) * (1 + ln(1 + i.access_count::float8)) AS recency,
        (i.access_count + i.helpful + i.unhelpful)::float8 AS seen
    FROM inputs AS i
),
ends AS (
    SELECT
        a.*,
        min(a.recency) OVER (PARTITION BY a.user_id) AS least,
        max(a.recency) OVER (PARTITION BY a.user_id) AS most
    FROM aged AS a
),
parts AS (
    SELECT
        e.*,
        CASE WHEN e.cosine IS NOT NULL THEN least(1, greatest(0, (e.cosine - 0.1) / 0.5)) END AS relevance_part,
        CASE
            WHEN e.seen = 0 THEN e.rank
            ELSE
                %(use_prior)s::float8 / (e.seen + %(use_prior)s::float8) * e.rank
                + e.seen / (e.seen + %(use_prior)s::float8) * (e.access_count + e.helpful + 1) / (e.seen + 2)
        END AS predictive_part,
        CASE WHEN e.most > e.least THEN (e.recency - e.least) / (e.most - e.least) ELSE 1 END AS recency_part
    FROM ends AS e
)
SELECT
    id AS item_id,
    user_id,
    relevance_part AS relevance,
    emotional,
    predictive_part AS predictive,
    recency_part AS recency,
    round(
        1000000 * (
            coalesce(%(relevance)s::float8 * relevance_part, 0) + coalesce(%(emotional)s::float8 * emotional, 0)
            + %(predictive)s::float8 * predictive_part + %(recency)s::float8 * recency_part
        ) / (
            CASE WHEN relevance_part IS NULL THEN 0 ELSE %(relevance)s::float8 END
            + CASE WHEN emotional IS NULL THEN 0 ELSE %(emotional)s::float8 END
            + %(predictive)s::float8 + %(recency)s::float8
        )
    ) / 1000000 AS score,
    cosine,
    rank,
    access_count,
    helpful,
    unhelpful,
    age_days,
    least,
    most,
    top3_rank,
    sum_rank,
    names_rank,
    first_person,
    question,
    digit,
    has_words
FROM parts

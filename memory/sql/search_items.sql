-- The best items of one user for a query, with the parts of their scores: the recipe of 10-memory as one statement.
-- Three marks are filled in by memory.queries.retrieval: {states} (what is searched), {candidates} (nothing, or a
-- condition on `item` where a filter narrows the search) and {number} (how many candidates there are).
WITH words AS MATERIALIZED (
    SELECT
        place,
        lexeme,
        ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(tsvector_to_array(memory_words(%(query)s::text)))
        WITH ORDINALITY AS found (lexeme, place)
),
-- The words whose spelling is compared, where none is found. Words of one letter more or less are alike by more than a
-- half, any two by up to .4 (pg_trgm), and a short one is like many. Where words stand without spaces (from Thai to
-- Japanese), a word is a whole sentence: two are alike by little, and never by chance.
spelled AS MATERIALIZED (
    SELECT left(lexeme, 200) AS word, is_unspaced, CASE WHEN is_unspaced THEN 0 ELSE 0.5 END AS least
    FROM words
    CROSS JOIN LATERAL (
        SELECT lexeme ~ %(unspaced)s::text AS is_unspaced
    ) AS script
    WHERE is_unspaced OR length(lexeme) > 3
    ORDER BY length(lexeme) DESC, lexeme
    LIMIT 6
),
-- How many items the user has; the counters say what a count would say.
held AS MATERIALIZED (
    SELECT sum(active_items + CASE WHEN %(archived)s::boolean THEN archived_items ELSE 0 END)::float8 AS items
    FROM usage_counter
    WHERE user_id = %(user_id)s::uuid
),
candidates AS MATERIALIZED (
    SELECT id
    FROM memory_item
    WHERE
        user_id = %(user_id)s::uuid
        AND state {states}
        AND (%(tier)s::text IS NULL OR tier = %(tier)s::text)
        AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s::timestamptz)
        AND (%(metadata)s::jsonb IS NULL OR metadata @> %(metadata)s::jsonb)
        AND (%(tags)s::jsonb IS NULL OR metadata @> %(tags)s::jsonb)
),
-- ts_rank of several words with OR between them is the mean of what each gives alone: so one look serves both signals.
hits AS MATERIALIZED (
    SELECT item.id, item.session_key, item.created_at, words.place, item.rank
    FROM words
    CROSS JOIN LATERAL (
        SELECT id, session_key, created_at, ts_rank(search_document, words.query, 0)::float8 AS rank
        FROM memory_item
        WHERE user_id = %(user_id)s::uuid AND state = 'active' AND search_document @@ words.query
    ) AS item
    UNION ALL
    -- No index has the words of the archive (docs/adr/0021): where it is asked for, each of its items is looked at once.
    SELECT item.id, item.session_key, item.created_at, words.place, ts_rank(item.search_document, words.query, 0)::float8
    FROM memory_item AS item
    INNER JOIN words ON item.search_document @@ words.query
    WHERE %(archived)s::boolean AND item.user_id = %(user_id)s::uuid AND item.state = 'archived'
),
-- Multiples of 2^-38: sums of them are exact, so that equal sets of words weigh the same in whatever order they come.
rarity AS MATERIALIZED (
    SELECT
        found.place,
        round(ln(1 + (held.items - found.items + 0.5) / (found.items + 0.5)) * 274877906944) / 274877906944 AS idf
    FROM (SELECT place, count(*) AS items FROM hits GROUP BY place) AS found
    CROSS JOIN held
),
-- Each item with each word that it has, or that was said right before it; without a rank where it is only the latter. One
-- look into the index of sessions a hit: a join would be planned by a guess at sizes, and a wrong one is quadratic. `IS
-- TRUE` hides the list's index, which has the order but not the session.
near AS (
    SELECT id, place, max(rank) AS rank
    FROM (
        SELECT id, place, rank FROM hits
        UNION ALL
        SELECT following.id, hits.place, NULL
        FROM hits
        CROSS JOIN LATERAL (
            SELECT id
            FROM memory_item
            WHERE
                user_id = %(user_id)s::uuid
                AND (state {states}) IS TRUE
                AND session_key = hits.session_key
                AND (created_at, id) > (hits.created_at, hits.id)
            ORDER BY created_at, id
            LIMIT 1
        ) AS following
    ) AS heard
    GROUP BY id, place
),
-- Only where no word is found at all: what is spelled alike, among the newest. A comparison takes as long as its texts,
-- and no index could help without making each write dearer.
spelling AS (
    SELECT item.id, sum(likeness.value) / (SELECT count(*) FROM spelled) AS value
    FROM (
        SELECT id, content
        FROM memory_item AS item
        WHERE NOT EXISTS (SELECT FROM hits AS item WHERE TRUE {candidates}) AND user_id = %(user_id)s::uuid AND state {states} {candidates}
        ORDER BY created_at DESC, id DESC
        LIMIT 1000
    ) AS item
    CROSS JOIN spelled
    CROSS JOIN LATERAL (SELECT word_similarity(spelled.word, left(item.content, 500))::float8 AS value) AS likeness
    WHERE likeness.value > spelled.least
    GROUP BY item.id
),
heard AS MATERIALIZED (
    SELECT
        item.id,
        FALSE AS is_spelling,
        sum(item.rank) / (SELECT count(*) FROM words) AS words,
        sum(rarity.idf) AS context
    FROM near AS item INNER JOIN rarity ON item.place = rarity.place
    WHERE TRUE {candidates}
    GROUP BY item.id
    UNION ALL
    SELECT id, TRUE, value, NULL FROM spelling
),
-- Vectors of different models are never compared, and each model's cosines are scaled among themselves. `IS TRUE` hides
-- the index by model: for a user newer than its statistics the planner would read everybody's items by it.
semantic AS NOT MATERIALIZED (
    SELECT item.id, 1 - item.distance AS value, asked.place
    FROM unnest(%(models)s::text[], %(vectors)s::halfvec[]) WITH ORDINALITY AS asked (model, vector, place)
    CROSS JOIN LATERAL (
        SELECT id, (embedding <=> asked.vector) + 0 AS distance
        FROM memory_item
        WHERE
            user_id = %(user_id)s::uuid
            AND state {states}
            AND (embedding_model = asked.model) IS TRUE
            AND embedding IS NOT NULL
    ) AS item
    WHERE TRUE {candidates}
),
semantic_range AS MATERIALIZED (
    SELECT place, min(value) AS low, max(value) AS high FROM semantic GROUP BY place
),
-- A candidate without a word of the query has the value 0, so 0 is the least unless every candidate has one.
words_range AS MATERIALIZED (
    SELECT
        CASE WHEN count(words) < {number} THEN 0 ELSE min(words) END AS low,
        max(words) AS high,
        CASE WHEN count(context) < {number} THEN 0 ELSE min(context) END AS low_context,
        max(context) AS high_context
    FROM heard
),
newest AS MATERIALIZED (
    SELECT max(created_at) AS at FROM memory_item
    WHERE %(freshness)s::float8 > 0 AND user_id = %(user_id)s::uuid AND state {states}
),
-- What the words alone give each item that has one. Likeness of spelled words is not scaled: it is from 0 to 1 as it is.
worded AS NOT MATERIALIZED (
    SELECT
        heard.id,
        heard.is_spelling,
        CASE
            WHEN heard.is_spelling AND NOT (SELECT bool_or(is_unspaced) FROM spelled) THEN heard.words
            WHEN range.high > range.low THEN (heard.words - range.low) / (range.high - range.low)
            ELSE sign(heard.words)
        END AS words,
        CASE WHEN range.high_context > range.low_context
            THEN (heard.context - range.low_context) / (range.high_context - range.low_context)
            ELSE sign(heard.context) END AS context
    FROM heard CROSS JOIN words_range AS range
),
summed AS MATERIALIZED (
    SELECT *, %(own_words)s::float8 * coalesce(words, 0) + %(context)s::float8 * coalesce(context, 0) AS score FROM worded
),
-- The other signals add at most their weights: who is further behind the k-th best of the words cannot catch up.
bar AS MATERIALIZED (
    SELECT coalesce(
        (
            SELECT score - %(semantic)s::float8 - %(freshness)s::float8 - 1e-9
            FROM summed
            ORDER BY score DESC
            OFFSET %(top_k)s::int - 1 LIMIT 1
        ),
        0
    ) AS score
),
-- Of the rest, the k nearest by each model: whoever is further away and has no word has k before him already. None when
-- the bar is above what they can reach.
nearest AS MATERIALIZED (
    SELECT item.id
    FROM semantic_range
    CROSS JOIN LATERAL (
        SELECT semantic.id
        FROM semantic
        WHERE semantic.place = semantic_range.place AND (SELECT score FROM bar) <= 0
        ORDER BY
            CASE WHEN %(freshness)s::float8 > 0 THEN
                %(semantic)s::float8 * semantic.value / coalesce(nullif(semantic_range.high - semantic_range.low, 0), 1)
                + %(freshness)s::float8 * (
                    SELECT power(2, extract(EPOCH FROM item.created_at - newest.at)::float8 / %(half_life)s::float8)
                    FROM memory_item AS item CROSS JOIN newest WHERE item.id = semantic.id
                )
            ELSE semantic.value END DESC,
            semantic.id
        LIMIT %(top_k)s::int
    ) AS item
),
chosen AS MATERIALIZED (
    SELECT id, bool_or(is_spelling) AS is_spelling, max(words) AS words, max(context) AS context
    FROM (
        SELECT id, is_spelling, words, context
        FROM summed
        WHERE score >= (SELECT score FROM bar) OR id IN (SELECT id FROM nearest)
        UNION ALL
        SELECT id, NULL, NULL, NULL FROM nearest
    ) AS item
    GROUP BY id
),
-- Their cosines once more, each by its key: cheaper than a join of all that were compared above. The limit keeps the
-- planner from reading a whole table for a few rows.
parts AS (
    SELECT
        chosen.id,
        chosen.is_spelling,
        CASE WHEN compared.high > compared.low
            THEN (compared.value - compared.low) / (compared.high - compared.low)
            ELSE (compared.value > 0)::int END AS semantic,
        chosen.words,
        chosen.context,
        CASE WHEN %(freshness)s::float8 > 0 THEN (
            SELECT power(2, extract(EPOCH FROM item.created_at - newest.at)::float8 / %(half_life)s::float8)
            FROM memory_item AS item CROSS JOIN newest WHERE item.id = chosen.id
        ) END AS freshness
    FROM chosen
    LEFT JOIN LATERAL (
        SELECT 1 - (item.embedding <=> asked.vector) AS value, semantic_range.low, semantic_range.high
        FROM memory_item AS item
        INNER JOIN unnest(%(models)s::text[], %(vectors)s::halfvec[]) WITH ORDINALITY AS asked (model, vector, place)
            ON item.embedding_model = asked.model
        INNER JOIN semantic_range ON asked.place = semantic_range.place
        WHERE item.id = chosen.id AND item.embedding IS NOT NULL
        LIMIT 1
    ) AS compared ON TRUE
),
best AS MATERIALIZED (
    SELECT
        *,
        coalesce(%(semantic)s::float8 * semantic, 0)
        + coalesce(%(own_words)s::float8 * words, 0)
        + coalesce(%(context)s::float8 * context, 0)
        + coalesce(%(freshness)s::float8 * freshness, 0) AS score
    FROM parts
    ORDER BY score DESC, id
    LIMIT %(top_k)s::int
)
SELECT
    item.id,
    item.tier,
    item.state,
    item.content,
    item.metadata,
    item.created_at,
    best.semantic,
    CASE WHEN NOT best.is_spelling THEN best.words END AS own_words,
    CASE WHEN best.is_spelling THEN best.words END AS spelling,
    best.context,
    best.freshness,
    best.score
FROM best
INNER JOIN memory_item AS item ON best.id = item.id
ORDER BY best.score DESC, best.id

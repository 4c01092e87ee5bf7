-- The words that a query looks for, in its order and as they were typed, and how many of one user's items have each:
-- active and archived ones. A purged item has no search document and is never counted.
WITH words AS MATERIALIZED (
    SELECT
        lexeme,
        positions[1] AS place,
        ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery AS query
    FROM unnest(memory_words(%(query)s::text)) AS found
    ORDER BY positions[1], lexeme
    LIMIT %(most)s::int
),
typed AS MATERIALIZED (
    SELECT DISTINCT ON (form.lexeme) form.lexeme, read.token
    FROM ts_debug('pg_catalog.english'::regconfig, memory_pieces(%(query)s::text)) WITH ORDINALITY
        AS read (alias, description, token, dictionaries, dictionary, lexemes, place)
    CROSS JOIN LATERAL unnest(read.lexemes) AS form (lexeme)
    ORDER BY form.lexeme, read.place
),
archive AS MATERIALIZED (
    -- No index has the words of the archive: each of its items is looked at once for all words.
    SELECT words.lexeme, count(*) AS items
    FROM memory_item AS item
    INNER JOIN words ON item.search_document @@ words.query
    WHERE item.user_id = %(user_id)s::uuid AND item.state = 'archived'
    GROUP BY words.lexeme
)
SELECT coalesce(typed.token, words.lexeme), counted.active_items, coalesce(archive.items, 0)
FROM words
LEFT JOIN typed ON words.lexeme = typed.lexeme
CROSS JOIN LATERAL (
    SELECT count(*) AS active_items
    FROM memory_item AS item
    WHERE item.user_id = %(user_id)s::uuid AND item.state = 'active' AND item.search_document @@ words.query
) AS counted
LEFT JOIN archive ON words.lexeme = archive.lexeme
ORDER BY words.place, words.lexeme

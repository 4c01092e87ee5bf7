-- Which of a query's words one user's item has, in the query's order and as they were typed.
SELECT token
FROM (
    SELECT DISTINCT ON (form.lexeme) read.token, read.place, form.lexeme
    FROM ts_debug('pg_catalog.english'::regconfig, memory_pieces(%(query)s::text)) WITH ORDINALITY
        AS read (alias, description, token, dictionaries, dictionary, lexemes, place)
    CROSS JOIN LATERAL unnest(read.lexemes) AS form (lexeme)
    WHERE form.lexeme = ANY(
        SELECT unnest(tsvector_to_array(search_document))
        FROM memory_item
        WHERE id = %(item_id)s::uuid AND user_id = %(user_id)s::uuid
    )
    ORDER BY form.lexeme, read.place
) AS shared
ORDER BY place, lexeme

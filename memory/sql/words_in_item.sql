-- Which of a query's words one user's item has, in the order of the alphabet.
SELECT lexeme
FROM unnest(
    array(
        SELECT unnest(tsvector_to_array(search_document))
        FROM memory_item
        WHERE id = %(item_id)s::uuid AND user_id = %(user_id)s::uuid
        INTERSECT
        SELECT unnest(tsvector_to_array(memory_words(%(query)s::text)))
    )
) AS shared (lexeme)
ORDER BY lexeme

-- The beginnings of one user's items with the query's words marked where they stand, in whatever form. All of the text
-- comes back: without HighlightAll what looks like markup would be left out of it.
SELECT
    item.id,
    ts_headline(
        'pg_catalog.english'::regconfig,
        memory_pieces(left(item.content, %(most_characters)s::int)),
        asked.query,
        'HighlightAll=true, StartSel=' || %(mark)s::text || ', StopSel=' || %(mark)s::text
    ) AS marked
FROM (
    SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS query
    FROM (
        SELECT lexeme
        FROM unnest(memory_words(%(query)s::text)) AS found
        ORDER BY positions[1], lexeme
        LIMIT %(most)s::int
    ) AS words
) AS asked
CROSS JOIN memory_item AS item
WHERE
    item.user_id = %(user_id)s::uuid
    AND item.id = ANY(%(item_ids)s::uuid[])
    AND item.search_document @@ asked.query

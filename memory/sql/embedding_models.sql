-- Which models the active items' vectors are of: one step through the index for each, however many items there are.
WITH RECURSIVE models AS (
    (
        SELECT embedding_model FROM memory_item WHERE state = 'active' AND embedding_model IS NOT NULL
        ORDER BY embedding_model LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT item.embedding_model FROM memory_item AS item
        WHERE item.state = 'active' AND item.embedding_model > models.embedding_model
        ORDER BY item.embedding_model LIMIT 1
    )
    FROM models
    WHERE models.embedding_model IS NOT NULL
)
SELECT embedding_model FROM models WHERE embedding_model IS NOT NULL
UNION ALL
SELECT NULL WHERE EXISTS (SELECT FROM memory_item WHERE state = 'active' AND embedding_model IS NULL)

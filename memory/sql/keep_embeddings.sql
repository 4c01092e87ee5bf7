-- Give items the vectors that were made of them, unless they have changed since.
UPDATE memory_item AS item
SET embedding = made.vector, embedding_model = %(model)s
FROM unnest(%(ids)s::uuid[], %(versions)s::int[], %(vectors)s::halfvec[]) AS made (id, version, vector)
WHERE item.id = made.id AND item.version = made.version AND item.state = 'active'

-- Indexes by name, in the order asked: their size, and whether PostgreSQL may use them.
SELECT
    asked.name,
    pg_relation_size(found.indexrelid) AS size_bytes,
    coalesce(found.indisvalid AND found.indisready, FALSE) AS is_valid
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS asked (name, place)
LEFT JOIN pg_index AS found ON found.indexrelid = to_regclass(quote_ident(asked.name))
ORDER BY asked.place

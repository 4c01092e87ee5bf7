-- Of what this transaction scored: how much is active still, and how much of it is protected, a tier.
SELECT
    i.tier,
    count(*) FILTER (WHERE NOT i.protected) AS kept,
    count(*) FILTER (WHERE i.protected) AS protected
FROM scored AS s
INNER JOIN memory_item AS i ON s.item_id = i.id
WHERE i.state = 'active'
GROUP BY i.tier

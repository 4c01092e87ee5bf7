-- The key behind a SHA-256, with its client.
SELECT
    k.id,
    k.client_id,
    c.name,
    k.scopes,
    k.bound_user_id,
    k.expires_at,
    k.revoked_at
FROM api_key AS k
INNER JOIN api_client AS c ON c.id = k.client_id
WHERE k.sha256 = %(sha256)s

-- title: Encryption of an old kind
-- severity: low
-- meaning: SSL 2 and 3, TLS 1.0 and 1.1, DTLS 1.0 (and what was called so before it was a standard), and ciphers such as RC4,
--   DES, Triple DES and NULL can be read or changed with known means (RFC 8996, RFC 7568, RFC 7465, RFC 9325). What counts is
--   what the server chose.
-- innocent: An old device that knows nothing newer.
-- advice: Update the server, or allow only TLS and DTLS 1.2 and 1.3 there.
SELECT s.server_ip || ':' || s.server_port AS subject, s.server_ip AS host,
  coalesce(t.version, 'TLS') || ' with ' || coalesce(t.cipher, 'an unknown cipher') AS title,
  iif(t.version LIKE 'SSL%' OR t.cipher LIKE '%NULL%' OR t.cipher LIKE '%anon%' OR t.cipher LIKE '%EXPORT%'
    OR instr(t.cipher, '_DES_') > 0, 'medium', 'low') AS severity,
  fyke_count(count(*), 'handshake') || ' from ' || fyke_count(count(DISTINCT s.client_ip), 'client') || coalesce('; name: ' || max(t.sni), '')
    AS evidence,
  min(s.id) AS session_id, min(t.time_us) AS first_us, max(t.time_us) AS last_us
FROM tls AS t JOIN sessions AS s ON s.id = t.session_id
WHERE t.cipher IS NOT NULL AND (t.version LIKE 'SSL%' OR t.version IN ('TLSv1.0', 'TLSv1', 'TLSv1.1', 'TLS 1.0', 'TLS 1.1', 'DTLSv0.9', 'DTLSv1.0')
  OR t.cipher LIKE '%NULL%' OR t.cipher LIKE '%RC4%' OR t.cipher LIKE '%3DES%' OR t.cipher LIKE '%DES_192%' OR instr(t.cipher, '_DES_') > 0 OR t.cipher LIKE '%DES40%'
  OR t.cipher LIKE '%anon%' OR t.cipher LIKE '%EXPORT%')
GROUP BY s.server_ip, s.server_port, t.version, t.cipher

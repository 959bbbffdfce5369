-- title: A port answers for the first time, to somebody whom the host had called before
-- severity: medium
-- meaning: Break-ins leave a port behind by which the intruder comes back: first the host itself calls out, then something
--   begins to listen, and the other side of that call connects to it.
-- innocent: Protocols that connect both ways: FTP in active mode, telephony, games, peer-to-peer programs, and mail servers
--   among themselves. The usual ones are left out.
-- advice: Find what listens (ss -tlnp). If you cannot say why, take the machine off the network and look
--   closer: fyke stream shows what was said.
-- with: minutes = 60  between the call and the first answer
WITH used AS MATERIALIZED (
  SELECT client_ip, server_ip, server_port, content_service, service, mismatches > 0 AS service_mismatch, established,
    session_id, first_us, last_us
  FROM contacts WHERE transport = 'tcp' AND established > 0
    AND (server_ip IN (SELECT client_ip FROM contacts) AND client_ip IN (SELECT server_ip FROM contacts)))
SELECT p.ip || ':' || p.port || '/tcp' AS subject, p.ip AS host,
  'Port ' || p.port || iif(refused.first_us IS NULL, ' answers for the first time', ' begins to listen')
    || ' after a call to the client that uses it' AS title,
  CASE WHEN fyke_origin(came.client_ip, p.ip) = 'home' THEN iif(refused.first_us IS NULL, 'low', 'medium')
    ELSE iif(refused.first_us IS NULL, 'medium', 'high') END AS severity,
  p.ip || ' called ' || called.server_ip || ':' || called.server_port || ' ('
    || coalesce(called.content_service, 'unknown service') || iif(called.service_mismatch = 1, ', odd for that port', '')
    || '); ' || ((p.first_seen_us - called.first_us) / 1000000) || ' s later its port ' || p.port || ' answered '
    || came.client_ip || iif(refused.first_us IS NULL, '', '; it was closed before') AS evidence,
  came.session_id AS session_id, '[' || called.session_id || ', ' || came.session_id || ']' AS sessions,
  called.first_us AS first_us, came.last_us AS last_us
FROM ports AS p
JOIN used AS came ON came.server_ip = p.ip AND came.server_port = p.port
JOIN used AS called ON called.client_ip = p.ip AND called.server_ip = came.client_ip
LEFT JOIN port_history AS refused ON refused.ip = p.ip AND refused.transport = 'tcp' AND refused.port = p.port
  AND refused.state = 'closed' AND refused.last_us <= p.first_seen_us
WHERE p.transport = 'tcp' AND p.state = 'open' AND p.port >= 1024
  AND called.first_us < p.first_seen_us AND p.first_seen_us - called.first_us <= :minutes * 60000000
  AND NOT EXISTS (SELECT 1 FROM used AS other WHERE other.client_ip = p.ip AND other.server_ip = came.client_ip
    AND (other.server_port IN (20, 21, 25, 53, 113, 554, 5060, 5061) OR coalesce(other.content_service, other.service, '')
      IN ('ftp', 'ftp-data', 'sip', 'rtsp', 'bittorrent', 'irc', 'dns', 'domain')))
  AND came.first_us >= called.first_us AND (called.content_service IS NULL OR called.service_mismatch)
  AND coalesce(p.clients, 6) <= 5 AND p.ip <> came.client_ip AND called.server_port <> p.port
GROUP BY p.ip, p.port

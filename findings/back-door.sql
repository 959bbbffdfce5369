-- title: A port answers for the first time, to somebody whom the host had called before
-- severity: medium
-- meaning: Break-ins leave a port behind by which the intruder comes back: first the host itself calls out, then something
--   begins to listen, and the other side of that call connects to it.
-- innocent: Protocols that connect both ways: FTP in active mode, telephony, games, peer-to-peer programs, and mail servers
--   among themselves. Left out are the usual ones, programs that call each other on one and the same port, and hosts that
--   call many others on ports that are nobody's, or some of which each has such a port of its own. What begins
--   to listen counts for less if it speaks what its port stands for, or to its own network only.
-- advice: Find what listens (ss -tlnp). If you cannot say why, take the machine off the network and look closer: fyke stream
--   shows what was said.
-- with: minutes = 60  between the call and the first answer
-- with: peers = 10    hosts called that make it a peer-to-peer program
-- with: swarm = 4     as many do, if each listens elsewhere, where the registry knows of nothing, and answers
WITH callers AS MATERIALIZED (
  SELECT client_ip AS ip, server_ip AS peer FROM contacts
  WHERE transport = 'tcp' AND established > 0 AND client_ip IN (SELECT ip FROM ports WHERE transport = 'tcp' AND state = 'open')),
used AS MATERIALIZED (
  SELECT client_ip, server_ip, server_port, content_service, service, mismatches > 0 AS service_mismatch, established,
    established_id AS session_id, established_us AS first_us, last_us, (content_service IS NOT NULL AND mismatches = 0
      AND content_service NOT IN ('ssh', 'telnet', 'rfb', 'rdp', 'socks', 'irc')) AS usual
  FROM contacts WHERE transport = 'tcp' AND established > 0
    AND (client_ip IN (SELECT ip FROM callers) OR client_ip IN (SELECT peer FROM callers))),
swarm AS MATERIALIZED (
  SELECT client_ip FROM (SELECT client_ip, server_ip, server_port,
      service IS NULL AND client_payload_bytes > 0 AND server_payload_bytes > 0 AS own FROM contacts
    WHERE transport = 'tcp' AND server_port >= 1024 AND content_service IS NULL AND established > 0)
  GROUP BY client_ip HAVING count(DISTINCT server_ip) >= :peers
    OR min(count(DISTINCT iif(own, server_ip, NULL)), count(DISTINCT iif(own, server_port, NULL))) >= :swarm),
mutual AS MATERIALIZED (
  SELECT there.client_ip AS one, there.server_ip AS other
  FROM used AS there JOIN used AS back ON back.client_ip = there.server_ip AND back.server_ip = there.client_ip
    AND back.server_port = there.server_port)
SELECT p.ip || ':' || p.port || '/tcp' AS subject, p.ip AS host,
  'Port ' || p.port || iif(refused.first_us IS NULL, ' answers for the first time', ' begins to listen')
    || ' after a call to the client that uses it' AS title,
  CASE (refused.first_us IS NOT NULL) + (fyke_origin(came.client_ip, p.ip) <> 'home') - came.usual
    WHEN 2 THEN 'high' WHEN 1 THEN 'medium' ELSE 'low' END AS severity,
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
WHERE p.transport = 'tcp' AND p.state = 'open' AND (p.port >= 1024 OR (refused.first_us IS NOT NULL AND p.port NOT IN (20, 113)))
  AND called.first_us < p.first_seen_us AND p.first_seen_us - called.first_us <= :minutes * 60000000
  AND NOT EXISTS (SELECT 1 FROM used AS other WHERE other.client_ip = p.ip AND other.server_ip = came.client_ip
    AND (other.server_port IN (20, 21, 25, 53, 113, 512, 513, 514, 554, 5060, 5061) OR coalesce(other.content_service, other.service,
      '') IN ('ftp', 'ftp-data', 'sip', 'rtsp', 'bittorrent', 'irc', 'dns', 'domain')))
  AND NOT EXISTS (SELECT 1 FROM mutual WHERE one = p.ip AND other = came.client_ip)
  AND called.client_ip NOT IN (SELECT client_ip FROM swarm)
  AND came.first_us >= called.first_us AND (called.content_service IS NULL OR called.service_mismatch)
  AND (refused.first_us IS NOT NULL OR NOT came.usual OR fyke_origin(came.client_ip, p.ip) <> 'home')
  AND coalesce(p.clients, 6) <= 5 AND p.ip <> came.client_ip AND called.server_port <> p.port
GROUP BY p.ip, p.port

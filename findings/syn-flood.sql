-- title: Very many connections to one port are begun and never completed
-- severity: medium
-- meaning: A SYN flood: each half-open connection takes room at the server, until it has none for real clients. The
--   addresses of the clients are often made up.
-- innocent: A server that is overloaded, or whose answers are lost on the way; a capture that holds only one direction of the
--   traffic.
-- advice: SYN cookies (Linux: net.ipv4.tcp_syncookies) keep the server alive. Ask the provider to filter if the line is full.
-- with: connections = 200  that stayed half-open within ten seconds
-- with: share = 0.8        of all connections of these ten seconds that have to be such
WITH flooded AS MATERIALIZED (
  SELECT server_ip, server_port FROM contacts WHERE half_open > 0
  GROUP BY server_ip, server_port HAVING sum(half_open) >= :connections),
tried AS (
  SELECT id, server_ip, server_port, start_us, client_ip, history, server_packets
  FROM sessions WHERE transport = 'tcp' AND roles_guessed = 0
    AND (server_ip, server_port) IN (SELECT server_ip, server_port FROM flooded)
  UNION ALL SELECT t.id, t.server_ip, t.server_port, t.start_us, t.client_ip, t.history, t.server_packets
  FROM flooded AS f CROSS JOIN folded AS t ON t.server_ip = f.server_ip AND t.server_port = f.server_port),
opened AS (
  SELECT server_ip, server_port, start_us / 10000000 AS slot, count(*) AS connections,
    sum(history IN ('S', 'Sh', 'ShR')) AS half_open, count(DISTINCT client_ip) AS clients, min(id) AS session_id,
    min(start_us) AS first_us, max(start_us) AS last_us, sum(server_packets > 0) AS answered
  FROM tried GROUP BY server_ip, server_port, slot)
SELECT server_ip || ':' || server_port AS subject, server_ip AS host, 'A SYN flood' AS title,
  iif(max(half_open) >= 20 * :connections, 'high', 'medium') AS severity,
  sum(half_open) || ' half-open connections, at most ' || max(half_open) || ' within ten seconds, from '
    || max(clients) || ' addresses; ' || sum(answered) || ' were answered' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM opened WHERE half_open >= :connections AND half_open >= :share * connections
GROUP BY server_ip, server_port
ORDER BY sum(half_open) DESC, subject

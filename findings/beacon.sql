-- title: A host calls another at regular intervals
-- severity: low
-- meaning: Malware asks its master for orders at a steady beat. The score (0 to 1) says how even the
--   intervals and the sizes of what was sent are, after RITA's method.
-- innocent: Nearly every program that looks for news does this: updates, mail, chat, monitoring, telemetry, time.
-- advice: Find the program on the client (there: ss -tnp, netstat -b). A name that you know and a reason are enough.
-- with: sessions = 20      at least
-- with: score = 0.85       of intervals and sizes together
-- with: regularity = 0.85  of the intervals alone
SELECT client_ip || ' → ' || server_ip || ':' || server_port || '/' || transport AS subject, client_ip AS host,
  iif(score >= 0.95 AND fyke_origin(server_ip, client_ip) = 'world' AND (service_mismatch = 1 OR server_port NOT IN
    (80, 443)), 'medium', 'low') AS severity,
  'Calls ' || coalesce(server_name, server_ip) || ' every ' || printf('%.1f', interval_us / 1e6) || ' s' AS title,
  fyke_count(sessions, 'session') || ' over ' || ((last_us - first_us) / 1000000) || ' s, median interval '
    || printf('%.3f', interval_us / 1e6) || ' s ± ' || printf('%.3f', interval_spread_us / 1e6) || ' s, '
    || size_bytes || ' ± ' || size_spread_bytes || ' bytes sent in each; score ' || printf('%.2f', score)
    || ' (intervals ' || printf('%.2f', regularity) || ', sizes ' || printf('%.2f', sameness) || ')' AS evidence,
  session_id, first_us, last_us
FROM contacts
WHERE sessions >= :sessions AND transport IN ('tcp', 'udp') AND score >= :score AND regularity >= :regularity
  AND interval_us >= 1000000 AND server_port NOT IN (53, 67, 68, 123, 137, 138, 546, 547, 1900, 5353, 5355)
  AND unanswered < sessions AND fyke_origin(server_ip, client_ip) NOT IN ('group', 'home')
ORDER BY score DESC

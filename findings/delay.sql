-- title: A path is so slow that users feel it
-- severity: info
-- meaning: Each exchange between these two hosts takes long; pages and logins need many of them.
-- innocent: A satellite link, a mobile network, a server on another continent.
-- advice: Compare with the handshake: if that is short, it is the server that is slow, not the path.
-- with: milliseconds = 300  round trip from end to end
-- with: sessions = 5        at least
SELECT s.client_ip || ' ↔ ' || s.server_ip AS subject, s.server_ip AS host,
  'handshake ' || printf('%.0f', avg(t.handshake_us) / 1e3) || ' ms on average, at least '
    || printf('%.0f', min(t.handshake_us) / 1e3) || ' ms, in ' || count(*) || ' sessions' AS evidence,
  min(s.id) AS session_id, min(s.start_us) AS first_us, max(s.end_us) AS last_us
FROM tcp AS t JOIN sessions AS s ON s.id = t.session_id
WHERE t.handshake_us IS NOT NULL AND coalesce(t.client_syn_retransmissions + t.server_syn_retransmissions, 0) = 0
GROUP BY s.client_ip, s.server_ip
HAVING count(*) >= :sessions AND avg(t.handshake_us) >= :milliseconds * 1000

-- title: A path is so slow that users feel it
-- severity: info
-- meaning: Each exchange between these two hosts takes long; pages and logins need many of them.
-- innocent: A satellite link, a mobile network, a server on another continent.
-- advice: Compare with the handshake: if that is short, it is the server that is slow, not the path.
-- with: milliseconds = 300  round trip from end to end
-- with: sessions = 5        at least
SELECT client_ip || ' ↔ ' || server_ip AS subject, server_ip AS host,
  'handshake ' || printf('%.0f', sum(handshake_us) / sum(handshakes) / 1e3) || ' ms on average, at least '
    || printf('%.0f', min(handshake_least_us) / 1e3) || ' ms, in ' || sum(handshakes) || ' sessions' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE handshakes > 0 AND handshake_us >= :milliseconds * 1000 * handshakes
GROUP BY client_ip, server_ip
HAVING sum(handshakes) >= :sessions

-- title: A session with the world that lasted for hours
-- severity: info
-- meaning: Remote control and tunnels keep one connection open for a long time.
-- innocent: VPNs, push notifications, chats, video calls, SSH sessions of your own.
-- advice: Know what it is for. fyke query --sql "SELECT … WHERE id = …" and fyke stream show what was in it.
-- with: hours = 4
SELECT client_ip || ' → ' || server_ip || ':' || server_port || '/' || transport AS subject, client_ip AS host,
  'A session of ' || printf('%.1f', longest_us / 3.6e9) || ' hours with ' || coalesce(server_name, server_ip) AS title,
  coalesce(service, 'unknown service') || ', ' || client_bytes || ' bytes sent, ' || server_bytes || ' received'
    AS evidence,
  session_id, first_us, last_us
FROM contacts
WHERE longest_us >= :hours * 3600000000 AND transport IN ('tcp', 'udp')
  AND fyke_origin(server_ip, client_ip) = 'world' AND server_bytes > 0
ORDER BY longest_us DESC

-- title: A service on a port that is another's
-- severity: low
-- meaning: What is spoken is not what the port stands for. Remote control and tunnels hide this way behind ports that
--   packet filters let pass.
-- innocent: An administrator who moved a service to another port; several services behind one port.
-- advice: Know which program it is. A service on its own port is easier to guard.
SELECT server_ip || ':' || server_port || '/' || transport AS subject, server_ip AS host,
  content_service || ' on the port of ' || coalesce(port_service, 'no service') AS title,
  iif(content_service IN ('ssh', 'rdp', 'vnc', 'telnet', 'irc', 'socks', 'openvpn', 'bittorrent') AND server_port IN (53, 80, 443, 8080),
    'medium', 'low') AS severity,
  count(*) || ' sessions from ' || count(DISTINCT client_ip) || ' clients' AS evidence,
  min(id) AS session_id, min(start_us) AS first_us, max(end_us) AS last_us
FROM sessions WHERE service_mismatch = 1 AND roles_guessed = 0
GROUP BY server_ip, server_port, transport, content_service
ORDER BY count(*) DESC

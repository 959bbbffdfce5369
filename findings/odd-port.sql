-- title: A service on a port that is another's
-- severity: low
-- meaning: What is spoken is not what the port stands for. Remote control and tunnels hide this way behind ports that
--   packet filters let pass.
-- innocent: An administrator who moved a service to another port; several services behind one port. What takes any port by
--   agreement (media streams, data of FTP) is left out.
-- advice: Know which program it is. A service on its own port is easier to guard.
SELECT server_ip || ':' || server_port || '/' || transport AS subject, server_ip AS host,
  coalesce(content_service, 'another service') || ' on port ' || server_port AS title,
  iif(content_service IN ('ssh', 'rdp', 'rfb', 'telnet', 'irc', 'socks', 'openvpn', 'bittorrent')
    AND server_port IN (53, 80, 443, 8080), 'medium', 'low') AS severity,
  fyke_count(sum(mismatches), 'session') || ' from ' || fyke_count(count(*), 'client') AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts WHERE mismatches > 0 AND guessed < sessions
  AND NOT (server_port >= 1024 AND coalesce(content_service, '') IN ('rtp', 'rtcp', 'stun', 'dtls', 'mountd', 'ftp-data'))
GROUP BY server_ip, server_port, transport, content_service
ORDER BY sum(mismatches) DESC

-- title: Many short sessions of one client at a service that asks for a password
-- severity: medium
-- meaning: The pattern of guessing passwords: one connection after another, each ended after a few packets.
-- innocent: Automation (Ansible, backup, monitoring), a mail program with a wrong password, one that looks for mail very
--   often.
-- advice: Look into the server's log for failed logins. Keys instead of passwords, a limit on attempts (fail2ban), and no
--   access from where nobody needs it.
-- with: sessions = 10   short sessions within a minute
-- with: sameness = 0.5  of the bytes that the client sent in each
SELECT client_ip || ' → ' || server_ip || ':' || server_port AS subject, client_ip AS host,
  'Many short sessions at ' || coalesce(service, 'port ' || server_port) || ': perhaps passwords are guessed' AS title,
  brief || ' of ' || sessions || ' sessions were short, at most ' || busiest_minute || ' within a minute; about '
    || (client_payload_bytes / sessions) || ' bytes sent and ' || (server_payload_bytes / sessions) || ' received in each'
    AS evidence,
  session_id, first_us, last_us
FROM contacts
WHERE transport = 'tcp' AND busiest_minute >= :sessions AND brief >= :sessions AND brief >= 0.8 * sessions
  AND (server_port IN (21, 22, 23, 110, 143, 465, 587, 993, 995, 1433, 3306, 3389, 5432, 5900, 5901, 2222)
    OR content_service IN ('ssh', 'ftp', 'telnet', 'pop3', 'imap', 'rdp', 'rfb', 'mysql', 'postgresql'))
  AND server_payload_bytes > 0 AND NOT (server_port IN (25, 465, 587) AND client_payload_bytes > 200 * sessions)
  AND sameness >= :sameness
ORDER BY brief DESC

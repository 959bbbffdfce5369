-- title: Passwords go by in clear text
-- severity: medium
-- meaning: Everybody on the way from the client to the server reads the name and the password. They may be used
--   elsewhere, too.
-- innocent: A guest's login ("anonymous"), a test, a line that is encrypted as a whole (a VPN, seen from within).
-- advice: Use the encrypted form of the service (587 or 465 for mail to send, 993 and 995 to fetch it, HTTPS, SFTP, SSH), and
--   change the passwords that went by. The passwords are not stored here.
SELECT s.server_ip || ':' || s.server_port || ' (' || c.protocol || ')' AS subject, s.server_ip AS host,
  'Passwords in clear text: ' || c.protocol AS title,
  fyke_count(count(*), 'login') || ' from ' || fyke_count(count(DISTINCT s.client_ip), 'client') || '; users: '
    || group_concat(DISTINCT coalesce(c.user, '?')) AS evidence,
  min(s.id) AS session_id, json_group_array(c.frame) AS frames, min(c.time_us) AS first_us, max(c.time_us) AS last_us
FROM credentials AS c JOIN sessions AS s ON s.id = c.session_id
WHERE c.secret IS NOT NULL AND coalesce(c.user, '') NOT IN ('anonymous', 'ftp')
GROUP BY s.server_ip, s.server_port, c.protocol

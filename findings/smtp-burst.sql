-- title: A host that is no mail server sends mail to many
-- severity: medium
-- meaning: Machines of botnets send spam straight to the mail servers of those who receive it (port 25). A program for mail
--   gives it to one server of its own instead (port 587 or 465).
-- innocent: A mail server whose own port 25 was not seen, a newsletter, a device that reports by mail.
-- advice: Let only mail servers use port 25 to the world. Look at the machine for malware.
-- with: servers = 5  mail servers that were spoken to
SELECT c.client_ip AS subject, c.client_ip AS host, 'Mail to ' || count(*) || ' mail servers from one host' AS title,
  fyke_count(sum(c.sessions), 'session') || ' with port 25 of ' || fyke_count(count(*), 'server') || ' in ' || ((max(c.last_us) - min(c.first_us)) / 1000000)
    || ' s, ' || sum(c.client_payload_bytes) || ' bytes sent; ' || fyke_count(sum(c.established > 0), 'server') || ' accepted'
    AS evidence,
  min(c.session_id) AS session_id, min(c.first_us) AS first_us, max(c.last_us) AS last_us
FROM contacts AS c
WHERE c.transport = 'tcp' AND c.server_port = 25 AND c.guessed = 0
  AND NOT EXISTS (SELECT 1 FROM ports AS p WHERE p.ip = c.client_ip AND p.port = 25 AND p.state = 'open')
GROUP BY c.client_ip
HAVING count(*) >= :servers AND sum(c.client_payload_bytes > 0) >= :servers

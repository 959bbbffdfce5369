-- title: Many logins of one client fail
-- severity: medium
-- meaning: Somebody tries names and passwords. If one of them was right in the end, it is known now.
-- innocent: A program with an old password that tries again and again.
-- advice: Limit attempts (fail2ban), let the service be reached only from where it is needed, and change a password that
--   was guessed.
-- with: failures = 8
SELECT s.client_ip || ' → ' || s.server_ip || ':' || s.server_port AS subject, s.client_ip AS host,
  iif(sum(c.accepted = 1 AND c.time_us > 0) > 0 AND count(DISTINCT c.user) > 1, 'high', 'medium') AS severity,
  sum(c.accepted = 0) || ' failed logins by ' || c.protocol AS title,
  sum(c.accepted = 0) || ' of ' || count(*) || ' logins failed, ' || count(DISTINCT c.user) || ' names in '
    || ((max(c.time_us) - min(c.time_us)) / 1000000) || ' s' || iif(sum(c.accepted = 1) > 0, '; one was accepted: '
    || max(iif(c.accepted = 1, coalesce(c.user, '?'), NULL)), '') AS evidence,
  min(s.id) AS session_id, min(c.time_us) AS first_us, max(c.time_us) AS last_us
FROM credentials AS c JOIN sessions AS s ON s.id = c.session_id
GROUP BY s.client_ip, s.server_ip, s.server_port, c.protocol
HAVING sum(c.accepted = 0) >= :failures

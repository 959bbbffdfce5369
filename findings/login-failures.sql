-- title: Many logins of one client fail
-- severity: medium
-- meaning: Somebody tries names and passwords. If one of them was right in the end, it is known now.
-- innocent: A program with an old password that tries again and again.
-- advice: Limit attempts (fail2ban), let the service be reached only from where it is needed, and change a password that
--   was guessed.
-- with: failures = 8   within the time below, or five times as many in all
-- with: minutes = 10
WITH tries AS (
  SELECT s.client_ip, s.server_ip, s.server_port, s.id, c.protocol, c.user, c.accepted, c.frame, c.time_us,
    sum(c.accepted = 0) OVER (PARTITION BY s.client_ip, s.server_ip, s.server_port, c.protocol ORDER BY c.time_us
      RANGE :minutes * 60000000 PRECEDING) AS lately
  FROM credentials AS c JOIN sessions AS s ON s.id = c.session_id
  WHERE (SELECT count(*) FROM credentials WHERE accepted = 0) >= :failures)
SELECT client_ip || ' → ' || server_ip || ':' || server_port AS subject, client_ip AS host,
  iif(max(iif(accepted = 1, lately, 0)) >= :failures, 'high', 'medium') AS severity,
  sum(accepted = 0) || ' failed logins by ' || protocol AS title,
  sum(accepted = 0) || ' of ' || count(*) || ' logins failed, at most ' || max(lately) || ' within ' || CAST(:minutes AS INTEGER)
    || ' minutes, ' || fyke_count(count(DISTINCT user), 'name') || ' in ' || ((max(time_us) - min(time_us)) / 1000000) || ' s'
    || iif(sum(accepted = 1) > 0, '; one was accepted: ' || max(iif(accepted = 1, coalesce(user, '?'), NULL)), '') AS evidence,
  min(id) AS session_id, json_group_array(DISTINCT id) AS sessions, json_group_array(frame) AS frames, min(time_us) AS first_us,
  max(time_us) AS last_us
FROM tries
GROUP BY client_ip, server_ip, server_port, protocol
HAVING max(lately) >= :failures OR sum(accepted = 0) >= 5 * :failures

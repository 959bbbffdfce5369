-- title: The path to a server changed
-- severity: info
-- meaning: Packets of a server first came over one number of routers and later over another: the route changed, or somebody
--   else answers in its place.
-- innocent: Routing changes by itself, large services answer from many places under one address.
-- advice: Of interest when it happens together with other findings, or with a certificate that changed.
-- with: sessions = 5  before and after, at least
WITH seen AS (
  SELECT server_ip, server_ttl, count(*) AS n, min(start_us) AS first_us, max(start_us) AS last_us, min(id) AS session_id
  FROM sessions WHERE transport = 'tcp' AND server_ttl IS NOT NULL AND roles_guessed = 0 AND state NOT IN ('S0', 'REJ')
  GROUP BY server_ip, server_ttl HAVING count(*) >= :sessions)
SELECT a.server_ip AS subject, a.server_ip AS host,
  'TTL ' || a.server_ttl || ' in ' || a.n || ' sessions, later ' || b.server_ttl || ' in ' || b.n AS evidence,
  b.session_id AS session_id, a.first_us AS first_us, b.last_us AS last_us
FROM seen AS a JOIN seen AS b ON b.server_ip = a.server_ip AND b.first_us > a.last_us
WHERE (SELECT count(*) FROM seen AS c WHERE c.server_ip = a.server_ip) = 2

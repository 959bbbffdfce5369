-- title: The path to a server changed
-- severity: info
-- meaning: Packets of a server first came over one number of routers and later over another: the route changed, or somebody
--   else answers in its place.
-- innocent: Routing changes by itself, large services answer from many places under one address.
-- advice: Of interest when it happens together with other findings, or with a certificate that changed.
-- with: sessions = 5  before and after, at least
SELECT server_ip AS subject, server_ip AS host,
  'TTL ' || ttl || ' in ' || fyke_count(ttl_sessions, 'session') || ' of ' || client_ip || ', later ' || later_ttl || ' in '
    || later_ttl_sessions AS evidence,
  session_id, ttl_change_us AS first_us, last_us
FROM contacts
WHERE transport = 'tcp' AND ttls_mixed = 0 AND ttl_sessions >= :sessions AND later_ttl_sessions >= :sessions
GROUP BY server_ip

-- title: Packets of one address come from two kinds of systems
-- severity: info
-- meaning: Systems begin with a TTL of 64, 128 or 255. Packets of one address on this network came with clearly
--   different ones: two machines behind it, or somebody who uses an address that is not his.
-- innocent: Address translation, a load balancer, a virtual machine behind its host, a VPN, a system that was changed for
--   another.
-- advice: Compare the link-layer addresses (client_mac) of the two kinds of sessions.
-- with: sessions = 3  of each kind, at least
SELECT ip AS subject, ip AS host,
  'TTL near ' || min(kind) || ' in ' || sum(iif(kind = least, n, 0)) || ' sessions and near ' || max(kind) || ' in '
    || sum(iif(kind = most, n, 0)) AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM (SELECT ip, kind, n, session_id, first_us, last_us, min(kind) OVER (PARTITION BY ip) AS least,
    max(kind) OVER (PARTITION BY ip) AS most
  FROM (SELECT client_ip AS ip, CASE WHEN client_ttl <= 64 THEN 64 WHEN client_ttl <= 128 THEN 128 ELSE 255 END AS kind,
      count(*) AS n, min(id) AS session_id, min(start_us) AS first_us, max(end_us) AS last_us
    FROM sessions
    WHERE transport = 'tcp' AND client_ttl IS NOT NULL AND roles_guessed = 0
      AND (client_ttl BETWEEN 60 AND 64 OR client_ttl BETWEEN 124 AND 128 OR client_ttl > 250)
      AND fyke_origin(client_ip) IN ('home', 'private')
    GROUP BY 1, 2 HAVING count(*) >= :sessions))
GROUP BY ip HAVING count(*) >= 2

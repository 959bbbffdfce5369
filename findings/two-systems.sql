-- title: Packets of one address come from two kinds of systems
-- severity: info
-- meaning: Systems begin with a TTL of 64, 128 or 255. Packets of one address on this network came with clearly
--   different ones: two machines behind it, or somebody who uses an address that is not his.
-- innocent: Address translation, a load balancer, a virtual machine behind its host, a VPN, a system that was changed for
--   another.
-- advice: Compare the link-layer addresses (client_mac) of the two kinds of sessions.
-- with: sessions = 3  of each kind, at least
SELECT client_ip AS subject, client_ip AS host,
  'TTL near 64 in ' || sum(low_ttls) || ', near 128 in ' || sum(middle_ttls) || ', near 255 in ' || sum(high_ttls)
    || ' sessions' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE transport = 'tcp' AND established > 0 AND client_ip IN (SELECT client_ip FROM contacts
    WHERE transport = 'tcp' AND established > 0 AND (middle_ttls > 0 OR high_ttls > 0)
      AND fyke_origin(client_ip, client_ip) IN ('home', 'private'))
GROUP BY client_ip
HAVING (sum(low_ttls) >= :sessions) + (sum(middle_ttls) >= :sessions) + (sum(high_ttls) >= :sessions) >= 2

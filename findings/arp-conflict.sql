-- title: Two stations claim one address
-- severity: medium
-- meaning: Stations on one link say in turns that an address is theirs (ARP; IPv6: Neighbor Discovery). Others send their packets to
--   whoever said so last. That is how somebody puts himself between two machines to read and change what they say; it is
--   also what happens when two machines were given the same address: both then work badly.
-- innocent: A machine with two network cards on one link, or with cards bound together; a router that answers for others (proxy ARP); servers
--   that take an address from each other time and again. Routers that share one (VRRP, HSRP, GLBP) are left out.
-- advice: Find both stations by their link-layer addresses in the switch's table. Turn off what should not be there; let switches
--   believe only what the DHCP server gave out (ARP inspection).
-- with: apart = 120   seconds, at most, from one's word to the other's
-- with: times = 3   that each must have said so
WITH stations AS MATERIALIZED (
  SELECT *, requests + replies + announcements AS times,
    row_number() OVER (PARTITION BY network, ip ORDER BY requests + replies + announcements DESC, first_frame) AS place
  FROM neighbours
  WHERE requests + replies + announcements >= :times
    AND mac NOT LIKE '00:00:5e:00:0%' AND mac NOT LIKE '00:00:0c:07:ac:%' AND mac NOT LIKE '00:00:0c:9f:f%'
    AND mac NOT LIKE '00:05:73:a0:0%' AND mac NOT LIKE '00:07:b4:%'),
disputed AS MATERIALIZED (
  SELECT network, ip, count(*) AS many, sum(takeovers) AS turns, min(takeover_silence_us) AS silence_us
  FROM stations GROUP BY network, ip HAVING many > 1 AND turns > 1 AND silence_us <= :apart * 1000000),
takers AS MATERIALIZED (
  SELECT s.network, s.mac, count(*) AS taken, group_concat(s.ip, ', ') AS ips
  FROM disputed AS d JOIN stations AS s USING (network, ip) WHERE s.takeovers > 0 GROUP BY s.network, s.mac HAVING taken > 1)
SELECT d.ip || iif(d.network = '', '', ' (' || d.network || ')') AS subject, d.ip AS host,
  iif(max(t.taken), 'high', 'medium') AS severity,
  iif(max(t.taken), 'One station claims the addresses of others', 'Two stations claim one address') AS title,
  group_concat(iif(s.place > 4, NULL, s.mac || coalesce(' (' || s.vendor || ')', '') || ' said so ' || fyke_count(s.times, 'time')
      || iif(t.taken, ' and took ' || t.ips, '')), '; ')
    || iif(d.many > 4, '; ' || (d.many - 4) || ' more did', '') || '. The word went from one to another ' || fyke_count(d.turns, 'time')
    || ', at the fastest after ' || printf('%.3f', d.silence_us / 1e6) || ' seconds' AS evidence,
  json_group_array(coalesce(s.takeover_frame, s.first_frame)) AS frames, min(s.first_us) AS first_us, max(s.last_us) AS last_us
FROM disputed AS d JOIN stations AS s USING (network, ip) LEFT JOIN takers AS t ON t.network = s.network AND t.mac = s.mac
GROUP BY d.network, d.ip ORDER BY severity, d.turns DESC

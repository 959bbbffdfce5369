-- title: One address was given to two clients
-- severity: medium
-- meaning: DHCP servers contradict each other or themselves: an address was given to a client while the lease of another
--   still ran, or two servers answer for one network. Where they name different routers or DNS servers, one of them may be a
--   machine that nobody meant to be a server, or somebody's who wants the traffic of others to pass through his hands.
-- innocent: Two servers that stand in for each other and agree; a lease that ended without a word that was captured; a machine that
--   got another network card.
-- advice: Find the servers. Turn off what was not meant to be one, and let switches pass answers from the others only (DHCP snooping).
-- with: apart = 3600   seconds between the answers of two servers, at most
WITH answers AS MATERIALIZED (
  SELECT d.session_id, d.frame, d.time_us, d.client_hardware AS client, d.client_id, d.assigned_ip AS ip, d.dhcp_server AS server,
    d."transaction" AS xid, d.lease_seconds AS lease, instr(',' || d.message_types || ',', ',ACK,') > 0 AS given,
    coalesce(s.vlan, '') AS vlan, coalesce(d.relay_ip, '') AS relay, rtrim(d.assigned_ip, '0123456789') AS network,
    coalesce(d.routers, 'none') || ', mask ' || coalesce(d.subnet_mask, 'none') || ', DNS ' || coalesce(d.dns_servers, 'none') AS told
  FROM dhcp AS d JOIN sessions AS s ON s.id = d.session_id
  WHERE d.assigned_ip IS NOT NULL AND d.client_hardware IS NOT NULL),
places AS MATERIALIZED (
  SELECT vlan || '|' || relay || '|' || network AS place, server, told, network, session_id, frame, min(time_us) AS first_us,
    max(time_us) AS last_us
  FROM answers WHERE server IS NOT NULL GROUP BY 1, 2, 3, 4
  UNION ALL
  SELECT vlan || '|' || relay || '|' || client || '|' || xid, server, told, network, session_id, frame, min(time_us), max(time_us)
  FROM answers WHERE server IS NOT NULL GROUP BY 1, 2, 3, 4),
gone AS MATERIALIZED (
  SELECT client_hardware AS client, coalesce(current_ip, requested_ip) AS ip, time_us FROM dhcp
  WHERE message_types LIKE '%RELEASE%' OR message_types LIKE '%DECLINE%')
SELECT a.server || ' and ' || b.server AS subject, b.server AS host, 'Two DHCP servers answer for one network' AS title,
  iif(max(a.told <> b.told OR a.network <> b.network), 'medium', 'info') AS severity,
  iif(max(a.told <> b.told OR a.network <> b.network), 'They contradict each other: ' || a.server || ' names the router ' || a.told || '; '
    || b.server || ' the router ' || b.told, 'They agree: the router is ' || a.told) AS evidence,
  min(b.session_id) AS session_id, json_array(a.session_id, b.session_id) AS sessions, json_array(a.frame, b.frame) AS frames,
  min(a.first_us, b.first_us) AS first_us, max(a.last_us, b.last_us) AS last_us
FROM places AS a JOIN places AS b ON b.place = a.place AND b.server > a.server
WHERE b.first_us <= a.last_us + :apart * 1000000 AND a.first_us <= b.last_us + :apart * 1000000
GROUP BY a.server, b.server
UNION ALL
SELECT a.ip, a.ip, 'One address was given to two clients', 'medium',
  a.client || ' had it for ' || a.lease || ' seconds; ' || ((b.time_us - a.time_us) / 1000000) || ' seconds later '
    || coalesce(b.server, 'a server') || ' gave it to ' || b.client,
  min(b.session_id), json_array(a.session_id, b.session_id), json_array(a.frame, b.frame), a.time_us, max(b.time_us)
FROM answers AS a JOIN answers AS b ON b.ip = a.ip AND b.vlan = a.vlan AND b.client <> a.client AND b.time_us > a.time_us
WHERE a.given AND b.given AND b.time_us < a.time_us + a.lease * 1000000 AND (a.client_id IS NULL OR a.client_id IS NOT b.client_id)
  AND NOT EXISTS (SELECT 1 FROM gone AS g WHERE g.client = a.client AND g.ip = a.ip AND g.time_us BETWEEN a.time_us AND b.time_us)
  AND NOT EXISTS (SELECT 1 FROM answers AS c WHERE c.given AND c.client = a.client AND c.ip <> a.ip AND c.time_us BETWEEN a.time_us AND b.time_us)
GROUP BY a.ip

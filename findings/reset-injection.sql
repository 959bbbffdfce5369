-- title: A reset that its sender knows nothing of
-- severity: medium
-- meaning: The side that seems to have reset the connection goes on with it: it sends data, or accepts the connection that
--   it seems to have refused. So somebody else sent the reset: censors, some firewalls and intrusion prevention systems
--   cut connections this way, and attackers do.
-- innocent: A firewall of your own or your provider's. Two captures in one, where frames are out of order. A client that
--   asks again after a refusal, or clears up an old connection of the same ports, is left out.
-- advice: Compare the TTL of the reset with that of the other packets: fyke extract SESSION -w one.pcap.
WITH went_on AS (
  SELECT e.session_id, e.frame, e.side, ' sends data after its own reset' AS how
  FROM tcp_events AS e JOIN sessions AS s ON s.id = e.session_id JOIN tcp AS t ON t.session_id = e.session_id
  WHERE e.kind = 'reset_ignored' AND NOT (e.side = 'client' AND s.history GLOB 'S*R*h*')
    AND NOT (e.side = 'server' AND s.history GLOB 'S*r*h*' AND t.client_syn_retransmissions > 0)
  UNION ALL
  SELECT s.id, s.first_frame, 'server', ' accepts after its own refusal'
  FROM sessions AS s CROSS JOIN tcp AS t ON t.session_id = s.id
  WHERE t.client_syn_retransmissions = 0 AND s.history GLOB 'Sr*h*A*'
    AND NOT EXISTS (SELECT 1 FROM tcp_events AS e WHERE e.session_id = s.id AND e.kind = 'reset_ignored' AND e.side = 'server'))
SELECT s.client_ip || ' → ' || s.server_ip || ':' || s.server_port AS subject, s.server_ip AS host,
  count(DISTINCT s.id) || ' connections; in session ' || min(s.id) || ' the ' || w.side || w.how AS evidence,
  min(s.id) AS session_id, json_group_array(w.frame) AS frames, min(s.start_us) AS first_us, max(s.end_us) AS last_us
FROM went_on AS w JOIN sessions AS s ON s.id = w.session_id
GROUP BY s.client_ip, s.server_ip, s.server_port

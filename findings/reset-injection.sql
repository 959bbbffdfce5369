-- title: A reset that its sender knows nothing of
-- severity: medium
-- meaning: The side that seems to have reset the connection goes on sending data in it. So somebody else sent the
--   reset: censors, some firewalls and intrusion prevention systems cut connections this way, and
--   attackers do.
-- innocent: A firewall of your own or your provider's. Two captures in one, where frames are out of order.
-- advice: Compare the TTL of the reset with that of the other packets: fyke extract SESSION -w one.pcap.
SELECT s.client_ip || ' → ' || s.server_ip || ':' || s.server_port AS subject, s.server_ip AS host,
  count(DISTINCT s.id) || ' connections; in session ' || min(s.id) || ' the ' || e.side || ' sends data after its own reset'
    AS evidence,
  min(s.id) AS session_id, json_group_array(e.frame) AS frames, min(s.start_us) AS first_us, max(s.end_us) AS last_us
FROM tcp_events AS e JOIN sessions AS s ON s.id = e.session_id
WHERE e.kind = 'reset_ignored'
GROUP BY s.client_ip, s.server_ip, s.server_port

-- title: A path loses so much that users feel it
-- severity: low
-- meaning: Between these two hosts a large share of what was sent had to be sent again, and time was lost by waiting
--   for it.
-- innocent: A weak radio link, a line that is full for the moment; a download at full speed always loses a little.
-- advice: fyke tcp SESSION shows where (before or beyond the place of capture) and why. Look at cables, duplex, WLAN, and
--   the queues of the router.
-- with: percent = 3    of the packets of one side that carried data again
-- with: segments = 20  sent again, at least
SELECT s.client_ip || ' ↔ ' || s.server_ip AS subject, s.client_ip AS host,
  sum(t.client_retransmitted_segments + t.server_retransmitted_segments) || ' segments sent again ('
    || printf('%.1f', 100.0 * max(
      1.0 * sum(t.client_retransmitted_segments) / max(1, sum(s.client_packets)),
      1.0 * sum(t.server_retransmitted_segments) / max(1, sum(s.server_packets))))
    || ' % of one side''s packets), ' || printf('%.2f', sum(coalesce(t.resend_wait_us, 0)) / 1e6)
    || ' s spent waiting for them in ' || count(*) || ' sessions' AS evidence,
  min(s.id) AS session_id, min(s.start_us) AS first_us, max(s.end_us) AS last_us
FROM tcp AS t JOIN sessions AS s ON s.id = t.session_id
WHERE t.client_retransmitted_segments + t.server_retransmitted_segments > 0
GROUP BY s.client_ip, s.server_ip
HAVING (sum(t.client_retransmitted_segments) >= :segments
    AND sum(t.client_retransmitted_segments) * 100.0 >= :percent * sum(s.client_packets))
  OR (sum(t.server_retransmitted_segments) >= :segments
    AND sum(t.server_retransmitted_segments) * 100.0 >= :percent * sum(s.server_packets))

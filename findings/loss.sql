-- title: A path loses so much that users feel it
-- severity: low
-- meaning: Between these two hosts a large share of what was sent had to be sent again, and time was lost by waiting
--   for it.
-- innocent: A weak radio link, a line that is full for the moment; a download at full speed always loses a little.
-- advice: fyke tcp SESSION shows where (before or beyond the place of capture) and why. Look at cables, duplex, WLAN, and
--   the queues of the router.
-- with: percent = 3    of the packets of one side that carried data again
-- with: segments = 20  sent again, at least
SELECT client_ip || ' ↔ ' || server_ip AS subject, client_ip AS host,
  fyke_count(sum(client_resent + server_resent), 'segment') || ' sent again (' || printf('%.1f', 100.0 * max(
      1.0 * sum(client_resent) / max(1, sum(client_packets)), 1.0 * sum(server_resent) / max(1, sum(server_packets))))
    || ' % of one side''s packets), ' || printf('%.2f', sum(resend_wait_us) / 1e6) || ' s spent waiting for them in '
    || sum(sessions) || ' sessions' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE client_resent + server_resent > 0
GROUP BY client_ip, server_ip
HAVING (sum(client_resent) >= :segments AND sum(client_resent) * 100.0 >= :percent * sum(client_packets))
  OR (sum(server_resent) >= :segments AND sum(server_resent) * 100.0 >= :percent * sum(server_packets))

-- title: Segments that no connection begins with, to many ports of one host
-- severity: medium
-- meaning: A FIN, NULL, Xmas or ACK scan: segments with unusual flags make a closed port answer with a reset and an
--   open one stay silent. Programs of daily use never send them; they are meant to pass simple packet filters
--   and logs.
-- innocent: A security test of your own. A capture that begins in the midst of connections shows single ACKs, but not
--   to so many ports.
-- advice: Ask who runs the client. A stateful packet filter drops such segments.
-- with: ports = 10   ports that were sent such segments
SELECT client_ip || ' → ' || server_ip AS subject, client_ip AS host,
  CASE max(sum(fin_probes > 0), sum(null_probes > 0), sum(xmas_probes > 0), sum(ack_probes > 0))
    WHEN sum(fin_probes > 0) THEN 'A FIN' WHEN sum(null_probes > 0) THEN 'A NULL'
    WHEN sum(xmas_probes > 0) THEN 'An Xmas' ELSE 'An ACK' END || ' scan of the ports of one host' AS title,
  count(*) || ' ports in ' || ((max(last_us) - min(first_us)) / 1000000) || ' s: FIN to ' || sum(fin_probes > 0)
    || ', no flags to ' || sum(null_probes > 0) || ', FIN+PSH+URG to ' || sum(xmas_probes > 0) || ', ACK to '
    || sum(ack_probes > 0) AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE transport = 'tcp' AND opened = 0 AND fin_probes + null_probes + xmas_probes + ack_probes > 0
GROUP BY client_ip, server_ip
HAVING count(*) >= :ports
ORDER BY count(*) DESC, subject

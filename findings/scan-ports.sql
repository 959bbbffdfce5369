-- title: One host tries many ports of another
-- severity: medium
-- meaning: A port scan: somebody looks for what listens. Most of the ports did not answer with a connection.
--   Ports that did are what the scan has learned.
-- innocent: A vulnerability scanner or inventory of your own, a monitoring system, a program that looks for its server
--   on a range of ports.
-- advice: Ask who runs the client. Close the ports that were found open and that nobody needs (fyke ports --close).
-- with: ports = 15   ports that refused or did not answer
-- with: share = 0.6  of all ports tried that have to be such
SELECT client_ip || ' → ' || server_ip AS subject, client_ip AS host,
  iif(max(last_us) - min(first_us) > 3600000000 AND (max(last_us) - min(first_us)) / count(*) > 10000000, 'A slow ',
    'A ') || iif(max(connects) > 0, 'TCP connect', 'TCP SYN') || ' scan of the ports of one host' AS title,
  count(*) || ' ports in ' || ((max(last_us) - min(first_us)) / 1000000) || ' s: ' || sum(refused > 0 AND opened = 0)
    || ' refused, ' || sum(opened = 0 AND refused = 0) || ' without answer, ' || sum(opened > 0) || ' open'
    || coalesce(' (' || group_concat(iif(opened > 0, server_port, NULL), ', ') || ')', '') AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE transport = 'tcp' AND (client_ip, server_ip) IN (SELECT client_ip, server_ip FROM contacts
    WHERE transport = 'tcp' AND opened = 0 AND (refused > 0 OR unanswered > 0)
    GROUP BY client_ip, server_ip HAVING count(*) >= :ports)
  AND server_port IS NOT NULL AND fin_probes + null_probes + xmas_probes = 0
GROUP BY client_ip, server_ip
HAVING sum(opened = 0 AND (refused > 0 OR unanswered > 0)) >= :ports
  AND sum(opened = 0 AND (refused > 0 OR unanswered > 0)) >= :share * count(*)
ORDER BY count(*) DESC, subject

-- title: One host pings many others that do not answer
-- severity: low
-- meaning: A ping sweep: somebody looks which addresses are in use. It is the usual first step of a scan.
-- innocent: A monitoring or inventory system of your own.
-- advice: Ask who runs the client.
-- with: hosts = 20   hosts that did not answer
SELECT client_ip || ' → *' AS subject, client_ip AS host, 'A ping sweep' AS title,
  count(*) || ' hosts in ' || ((max(last_us) - min(first_us)) / 1000000) || ' s, ' || sum(unanswered = sessions)
    || ' without an answer' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts WHERE transport IN ('icmp', 'icmp6') AND fyke_origin(server_ip) <> 'group'
  AND session_id IN (SELECT id FROM sessions WHERE (transport = 'icmp' AND icmp_type = 8)
    OR (transport = 'icmp6' AND icmp_type = 128))
GROUP BY client_ip
HAVING sum(unanswered = sessions) >= :hosts AND sum(unanswered = sessions) >= 0.5 * count(*)

-- title: One host sends datagrams to many ports of another that do not answer
-- severity: medium
-- meaning: A UDP scan: what is closed answers with ICMP port unreachable, what is open or filtered mostly
--   stays silent.
-- innocent: traceroute (its usual ports are left out here), a peer-to-peer program, the media streams of a telephone call.
-- advice: Ask who runs the client. Close the ports that answered and that nobody needs (fyke ports --close).
-- with: ports = 15   ports without an answer
-- with: share = 0.7  of all ports tried that have to be such
SELECT client_ip || ' → ' || server_ip AS subject, client_ip AS host, 'A UDP scan of the ports of one host' AS title,
  count(*) || ' ports in ' || ((max(last_us) - min(first_us)) / 1000000) || ' s, ' || sum(unanswered = sessions)
    || ' without an answer'
    || coalesce('; answered: ' || group_concat(iif(unanswered < sessions, server_port, NULL), ', '), '') AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE client_ip IN (SELECT client_ip FROM contacts WHERE transport = 'udp' AND unanswered = sessions
    GROUP BY client_ip HAVING count(*) >= :ports)
  AND transport = 'udp' AND server_port NOT BETWEEN 33434 AND 33625
  AND fyke_origin(server_ip) <> 'group'
GROUP BY client_ip, server_ip
HAVING sum(unanswered = sessions) >= :ports AND sum(unanswered = sessions) >= :share * count(*)
ORDER BY count(*) DESC, subject

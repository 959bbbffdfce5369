-- title: One host tries one port on many others
-- severity: medium
-- meaning: A horizontal scan: somebody looks for machines that offer one service, often one with a known weakness.
--   Worms spread this way.
-- innocent: An inventory or monitoring system of your own, a client whose servers moved, peer-to-peer programs.
-- advice: Look at what the client runs. If it is yours and you do not know why it does this, take it off the network.
-- with: hosts = 20   hosts that refused or did not answer
-- with: share = 0.6  of all hosts tried that have to be such
SELECT client_ip || ' → *:' || server_port || '/' || transport AS subject, client_ip AS host,
  'A scan of many hosts for port ' || server_port || '/' || transport AS title,
  count(*) || ' hosts in ' || ((max(last_us) - min(first_us)) / 1000000) || ' s: '
    || sum(opened = 0 AND (refused > 0 OR unanswered = sessions)) || ' refused or did not answer, '
    || sum(opened > 0 OR (transport = 'udp' AND unanswered < sessions)) || ' answered' AS evidence,
  min(session_id) AS session_id, min(first_us) AS first_us, max(last_us) AS last_us
FROM contacts
WHERE client_ip IN (SELECT client_ip FROM contacts WHERE opened = 0 AND (refused > 0 OR unanswered = sessions)
    GROUP BY client_ip HAVING count(*) >= :hosts)
  AND ((transport = 'tcp' AND guessed = 0) OR (transport = 'udp' AND server_port < 1024))
  AND fyke_origin(server_ip) <> 'group'
GROUP BY client_ip, transport, server_port
HAVING sum(opened = 0 AND (refused > 0 OR unanswered = sessions)) >= :hosts
  AND sum(opened = 0 AND (refused > 0 OR unanswered = sessions)) >= :share * count(*)
ORDER BY count(*) DESC, subject

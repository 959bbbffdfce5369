-- title: Evidence of a client of a botnet
-- severity: medium
-- meaning: Several signs come together at one host that fit a machine which takes orders from elsewhere: it calls
--   regularly, asks for odd names, scans, floods or sends mail.
-- innocent: Each sign has other explanations; read them at the rules that are named here.
-- advice: Take the host off the network and look at it with a scanner that was started from another medium.
SELECT host AS subject, host, fyke_count(count(DISTINCT rule), 'kind of sign', 'kinds of signs') || ': ' || group_concat(DISTINCT rule) AS evidence,
  min(session_id) AS session_id, json_group_array(session_id) AS sessions, min(first_us) AS first_us, max(last_us) AS last_us
FROM signs WHERE host IS NOT NULL AND rule IN ('beacon', 'dns-odd-names', 'dns-tunnel', 'scan-hosts', 'scan-ports',
  'smtp-burst', 'login-attempts', 'odd-port', 'syn-flood')
GROUP BY host
HAVING sum(rule IN ('beacon', 'dns-odd-names', 'dns-tunnel', 'odd-port')) > 0
  AND sum(rule IN ('scan-hosts', 'scan-ports', 'smtp-burst', 'login-attempts')) > 0

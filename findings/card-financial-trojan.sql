-- title: Evidence of a program that collects financial details
-- severity: medium
-- meaning: Several signs come together at one host that fit a program which takes numbers of cards and accounts and sends them
--   out.
-- innocent: Each sign has other explanations; read them at the rules that are named here.
-- advice: Do no banking on this machine until it has been looked at. Tell the bank if numbers went out.
SELECT host AS subject, host, fyke_count(count(DISTINCT rule), 'kind of sign', 'kinds of signs') || ': ' || group_concat(DISTINCT rule) AS evidence,
  min(session_id) AS session_id, json_group_array(session_id) AS sessions, min(first_us) AS first_us, max(last_us) AS last_us
FROM signs WHERE host IS NOT NULL
  AND rule IN ('sensitive-numbers', 'clear-text-password', 'upload', 'beacon', 'dns-tunnel', 'dns-odd-names', 'odd-port')
GROUP BY host
HAVING count(DISTINCT rule) >= 2 AND sum(rule IN ('sensitive-numbers', 'upload', 'dns-tunnel')) > 0
  AND sum(rule IN ('beacon', 'dns-tunnel', 'dns-odd-names', 'odd-port')) > 0

-- title: Evidence of a back door
-- severity: medium
-- meaning: Several signs come together at one host that fit an intruder who comes back by a door of his own.
-- innocent: Each sign has other explanations; read them at the rules that are named here.
-- advice: Save a capture of this host (fyke extract 'host ADDRESS' -w FILE), see what listens on it, and compare its programs
--   with what they should be.
SELECT host AS subject, host, fyke_count(count(DISTINCT rule), 'kind of sign', 'kinds of signs') || ': ' || group_concat(DISTINCT rule) AS evidence,
  min(session_id) AS session_id, json_group_array(session_id) AS sessions, min(first_us) AS first_us, max(last_us) AS last_us
FROM (SELECT host, rule, session_id, first_us, last_us FROM signs
  WHERE rule IN ('back-door', 'odd-port', 'beacon', 'long-session', 'exposed-service', 'login-failures')
  UNION ALL SELECT substr(subject, instr(subject, '→ ') + 2, instr(substr(subject, instr(subject, '→ ') + 2) || ':', ':') - 1),
    rule, session_id, first_us, last_us FROM signs WHERE rule IN ('login-attempts', 'login-failures', 'scan-ports'))
WHERE host IS NOT NULL
GROUP BY host HAVING count(DISTINCT rule) >= 2 AND sum(rule IN ('back-door')) > 0

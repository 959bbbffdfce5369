-- title: A host whose sequence numbers can be foretold
-- severity: medium
-- meaning: Who can foretell the initial sequence number of a connection can open one in the name of another, or speak
--   in one that he does not see.
-- innocent: Simple devices and old systems; scanners that send all probes with one number (then the host is the
--   client).
-- advice: Update the system. Keep it away from the world, and do not trust it by its address.
SELECT ip AS subject, ip AS host, 'Initial sequence numbers of the kind: ' || isn_kind AS title,
  iif(server_sessions = 0, 'info', iif(isn_kind = 'truncated', 'low', 'medium')) AS severity, isn_evidence AS evidence,
  (SELECT min(id) FROM sessions WHERE server_ip = ip OR client_ip = ip) AS session_id, first_seen_us AS first_us,
  last_seen_us AS last_us
FROM hosts WHERE isn_kind IN ('constant', 'step', 'clock', 'truncated')

-- title: A certificate that a client should not trust
-- severity: low
-- meaning: It had expired when it was shown (by the time of the packet), is not valid yet, signed itself, or is for
--   another name than the client asked for. Whoever clicks such warnings away does not see an attacker in the
--   middle, either.
-- innocent: Devices for the home and test servers sign themselves. Inside the network that may be all right. Those of DTLS
--   mostly do (WebRTC agrees on them elsewhere) and are left out.
-- advice: Get a certificate from an authority (Let's Encrypt gives them for nothing), and renew it in time.
SELECT s.server_ip || ':' || s.server_port || ' ' || coalesce(t.sni, c.subject, '') AS subject, s.server_ip AS host,
  'The certificate ' || CASE WHEN c.not_after_us < c.time_us THEN 'had expired'
    WHEN c.not_before_us > c.time_us THEN 'is not valid yet' WHEN c.self_signed = 1 THEN 'signed itself'
    ELSE 'is for another name' END AS title,
  iif(c.not_after_us >= c.time_us AND c.not_before_us <= c.time_us AND c.self_signed = 1
    AND fyke_origin(s.server_ip, s.client_ip) <> 'world', 'info', 'low') AS severity,
  'subject ' || coalesce(c.subject, '?') || ', issuer ' || coalesce(c.issuer, '?') || ', valid until '
    || coalesce(strftime('%Y-%m-%d', c.not_after_us / 1000000, 'unixepoch'), '?') || coalesce(', names ' || substr(c.san, 1, 200), '')
    || coalesce(', asked for ' || t.sni, '') || '; ' || fyke_count(count(*), 'time') AS evidence,
  min(s.id) AS session_id, json_group_array(c.frame) AS frames, min(c.time_us) AS first_us, max(c.time_us) AS last_us
FROM certificates AS c JOIN sessions AS s ON s.id = c.session_id LEFT JOIN tls AS t ON t.session_id = c.session_id
WHERE c.side = 'server' AND c.position = 0 AND (c.not_after_us < c.time_us OR c.not_before_us > c.time_us
  OR (c.self_signed = 1 AND s.transport = 'tcp')
  OR (t.sni IS NOT NULL AND c.san IS NOT NULL AND instr(',' || lower(c.san) || ',', ',dns:' || lower(t.sni) || ',') = 0
    AND instr(',' || lower(c.san) || ',', ',dns:*.' || lower(substr(t.sni, instr(t.sni, '.') + 1)) || ',') = 0
    AND instr(lower(c.san), lower(t.sni)) = 0))
GROUP BY s.server_ip, s.server_port, c.fingerprint_sha256, t.sni

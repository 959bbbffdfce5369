-- title: One place of a stream was sent twice with other contents
-- severity: high
-- meaning: Two answers in one stream: which of them the receiver reads depends on its system, so
--   somebody may show a watching program something else than what the receiver gets (Ptacek and Newsham, 1998), or has
--   put an answer of his own into the connection.
-- innocent: A broken device on the way that changes packets, such as a proxy or a router that rewrites addresses in the text;
--   a capture made at two places. Keep-alives and probes with a byte of their own are not counted; where the other side
--   acknowledged nothing at all, nobody has read it (low).
-- advice: fyke tcp SESSION shows where, fyke stream SESSION --policy first and --policy last both versions.
SELECT s.client_ip || ' → ' || s.server_ip || ':' || s.server_port || ' (session ' || s.id || ')' AS subject,
  CASE WHEN t.server_conflicting_bytes > 0 THEN s.server_ip ELSE s.client_ip END AS host,
  iif((t.client_conflicting_bytes > 0 AND (s.server_packets = 0 OR s.server_tcp_flags & 16))
    OR (t.server_conflicting_bytes > 0 AND (s.client_packets = 0 OR s.client_tcp_flags & 16)), 'high', 'low') AS severity,
  coalesce(t.client_conflicting_bytes, 0) || ' bytes of the client and ' || coalesce(t.server_conflicting_bytes, 0)
    || ' of the server were sent twice with other contents' AS evidence,
  s.id AS session_id, s.start_us AS first_us, s.end_us AS last_us,
  (SELECT json_group_array(frame) FROM (SELECT frame FROM tcp_events WHERE session_id = s.id AND kind = 'conflict'
    ORDER BY n LIMIT 10)) AS frames
FROM tcp AS t JOIN sessions AS s ON s.id = t.session_id
WHERE t.client_conflicting_bytes > 0 OR t.server_conflicting_bytes > 0
ORDER BY coalesce(t.client_conflicting_bytes, 0) + coalesce(t.server_conflicting_bytes, 0) DESC

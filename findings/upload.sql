-- title: Much more went out to the world than came back
-- severity: low
-- meaning: Large uploads are what the theft of data looks like.
-- innocent: A backup, photographs on their way to the cloud, a video call, mail with large attachments.
-- advice: Know what it was: who used the machine then, and which program.
-- with: megabytes = 20  sent by the client
-- with: times = 5       as much as it received
SELECT client_ip || ' → ' || server_ip || ':' || server_port || '/' || transport AS subject, client_ip AS host,
  printf('%.1f', client_payload_bytes / 1e6) || ' MB were sent to ' || coalesce(server_name, server_ip) AS title,
  fyke_count(sessions, 'session') || ', ' || client_payload_bytes || ' bytes sent, ' || server_payload_bytes || ' received'
    || coalesce('; ' || service, '') AS evidence,
  session_id, first_us, last_us
FROM contacts
WHERE client_payload_bytes >= :megabytes * 1000000 AND client_payload_bytes >= :times * server_payload_bytes
  AND fyke_origin(server_ip, client_ip) = 'world' AND guessed < sessions
ORDER BY client_payload_bytes DESC

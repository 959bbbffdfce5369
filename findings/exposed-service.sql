-- title: A database or remote-control service that the world reaches
-- severity: medium
-- meaning: Services for administration and storage are made for a trusted network. From the Internet they are
--   found within hours and tried without end.
-- innocent: The client is a machine of your own outside (name your networks with --home-net), or the server is not yours.
-- advice: Let only known addresses reach this port, or put it behind a VPN. Close it if nobody needs it.
SELECT p.ip || ':' || p.port || '/' || p.transport AS subject, p.ip AS host,
  CASE WHEN fyke_origin(p.ip) = 'home' THEN 'high' ELSE 'medium' END AS severity,
  k.name || ' is reached from the world' AS title,
  fyke_count(p.world_clients, 'client') || ' in the world, ' || fyke_count(p.sessions, 'session') || '; evidence: ' || p.evidence
    AS evidence,
  p.session_id, p.first_seen_us AS first_us, p.last_seen_us AS last_us
FROM ports AS p JOIN (SELECT 23 AS port, 'Telnet' AS name UNION ALL VALUES (111, 'portmapper'), (135, 'Windows RPC'),
    (139, 'NetBIOS'), (161, 'SNMP'), (389, 'LDAP'), (445, 'Windows file sharing (SMB)'), (512, 'rexec'),
    (513, 'rlogin'), (514, 'rsh'), (873, 'rsync'), (1433, 'SQL Server'), (1521, 'Oracle'), (2049, 'NFS'),
    (2375, 'Docker'), (2379, 'etcd'), (3306, 'MySQL'), (3389, 'Remote Desktop'), (5432, 'PostgreSQL'),
    (5900, 'VNC'), (5901, 'VNC'), (5902, 'VNC'), (5984, 'CouchDB'), (5985, 'Windows remote management'),
    (6000, 'X11'), (6379, 'Redis'), (7001, 'WebLogic'), (9042, 'Cassandra'), (9200, 'Elasticsearch'),
    (10250, 'Kubelet'), (11211, 'memcached'), (27017, 'MongoDB')) AS k ON k.port = p.port
WHERE p.state = 'open' AND p.world_clients > 0
  AND (p.transport = 'udp' OR p.evidence <> 'syn-ack') AND (p.transport = 'tcp' OR p.port IN (111, 161, 389, 11211))
  AND (p.transport = 'udp' OR p.port <> 161)

-- title: Very many long, odd names below one domain are asked for
-- severity: medium
-- meaning: A tunnel through DNS: what is sent out stands in the names, what comes back in the answers. It goes through
--   packet filters that let DNS pass, and carries remote control and stolen data. Tunnels that speak with their server
--   directly need no domain: their names end in one that cannot exist.
-- innocent: Virus scanners and spam filters ask by DNS for hashes; some content networks use long names.
-- advice: Look at who owns the domain, and at the program on the client. Let only the network's own resolver ask the world.
-- with: names = 40      different names below the domain
-- with: length = 24     characters in front of the domain, on average
-- with: entropy = 3.2   bits per character of these, on average
WITH asked AS NOT MATERIALIZED (
  SELECT session_id, time_us, query, type, fyke_domain(query) AS domain FROM dns
  WHERE protocol = 'dns' AND query NOT LIKE '%.arpa' AND instr(query, '.') > 0),
placed AS NOT MATERIALIZED (
  SELECT session_id, time_us, query, type, iif(substr(domain, instr(domain, '.') + 1) GLOB '*[0-9]*'
    AND domain NOT LIKE '%.xn--%', '', domain) AS domain
  FROM asked),
long AS MATERIALIZED (
  SELECT DISTINCT domain FROM placed WHERE length(query) >= :length AND length(query) - length(domain) >= :length)
SELECT s.client_ip || ' → ' || iif(domain = '', s.server_ip || ', no domain', domain) AS subject, s.client_ip AS host,
  'A tunnel through DNS, by the look of it: ' || iif(domain = '', 'names without a domain', domain) AS title,
  count(DISTINCT query) || ' names, on average ' || printf('%.0f', avg(length(query) - length(domain)))
    || ' characters in front of the domain with ' || printf('%.1f', avg(fyke_entropy(substr(query, 1,
    length(query) - length(domain))))) || ' bits each; types ' || group_concat(DISTINCT type) AS evidence,
  min(s.id) AS session_id, min(time_us) AS first_us, max(time_us) AS last_us
FROM placed JOIN sessions AS s ON s.id = session_id
WHERE EXISTS (SELECT 1 FROM long) AND domain IN long AND length(query) > length(domain)
GROUP BY s.client_ip, domain, iif(domain = '', s.server_ip, NULL)
HAVING count(DISTINCT query) >= :names AND avg(length(query) - length(domain)) >= :length
  AND avg(fyke_entropy(substr(query, 1, length(query) - length(domain)))) >= :entropy

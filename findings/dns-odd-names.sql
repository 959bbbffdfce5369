-- title: Many domains that do not exist are asked for, with names that no person would choose
-- severity: medium
-- meaning: Bots find their master under names that a program makes up anew each day; most of them are not
--   registered.
-- innocent: Browsers ask for a few random names to see whether the resolver lies; a search list that is wrong; mail filters.
-- advice: Find the program on the client that asks.
-- with: domains = 15   domains that do not exist
-- with: entropy = 2.8  bits per character of their names, on average
WITH asked AS MATERIALIZED (
  SELECT session_id, time_us, fyke_domain(query) AS domain FROM dns
  WHERE protocol = 'dns' AND rcode = 'NXDOMAIN' AND query NOT LIKE '%.arpa' AND instr(query, '.') > 0
    AND instr(fyke_domain(query), '.') >= 8)
SELECT s.client_ip AS subject, s.client_ip AS host,
  count(DISTINCT domain) || ' domains that do not exist, such as ' || min(domain) || ' and ' || max(domain) AS evidence,
  min(s.id) AS session_id, min(time_us) AS first_us, max(time_us) AS last_us
FROM asked JOIN sessions AS s ON s.id = session_id
GROUP BY s.client_ip
HAVING count(DISTINCT domain) >= :domains AND avg(fyke_entropy(substr(domain, 1, instr(domain, '.') - 1))) >= :entropy

-- title: Many domains that do not exist are asked for, with names that no person would choose
-- severity: medium
-- meaning: Bots find their master under names that a program makes up anew each day; most of them are not
--   registered.
-- innocent: Browsers ask for a few random names to see whether the resolver lies; a search list that is wrong; mail filters.
-- advice: Find the program on the client that asks.
-- with: domains = 15   domains that do not exist
-- with: entropy = 2.8  bits per character of their names, on average
SELECT s.client_ip AS subject, s.client_ip AS host,
  count(DISTINCT fyke_domain(d.query)) || ' domains that do not exist, such as ' || min(fyke_domain(d.query)) || ' and '
    || max(fyke_domain(d.query)) AS evidence,
  min(s.id) AS session_id, min(d.time_us) AS first_us, max(d.time_us) AS last_us
FROM dns AS d JOIN sessions AS s ON s.id = d.session_id
WHERE d.protocol = 'dns' AND d.rcode = 'NXDOMAIN' AND d.query NOT LIKE '%.arpa' AND instr(d.query, '.') > 0
  AND instr(fyke_domain(d.query), '.') >= 8
GROUP BY s.client_ip
HAVING count(DISTINCT fyke_domain(d.query)) >= :domains
  AND avg(fyke_entropy(substr(fyke_domain(d.query), 1, instr(fyke_domain(d.query), '.') - 1))) >= :entropy

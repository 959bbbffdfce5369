-- title: Very many long, odd names below one domain are asked for
-- severity: medium
-- meaning: A tunnel through DNS: what is sent out stands in the names, what comes back in the answers. It goes through
--   packet filters that let DNS pass, and carries remote control and stolen data.
-- innocent: Virus scanners and spam filters ask by DNS for hashes; some content networks use long names.
-- advice: Look at who owns the domain, and at the program on the client. Let only the network's own resolver ask the world.
-- with: names = 40     different names below the domain
-- with: length = 24    characters in front of the domain, on average
-- with: entropy = 3.2  bits per character of these, on average
SELECT s.client_ip || ' → ' || fyke_domain(d.query) AS subject, s.client_ip AS host,
  'A tunnel through DNS, by the look of it: ' || fyke_domain(d.query) AS title,
  count(DISTINCT d.query) || ' names, on average ' || printf('%.0f', avg(length(d.query) - length(fyke_domain(d.query))))
    || ' characters in front of the domain with ' || printf('%.1f', avg(fyke_entropy(substr(d.query, 1,
    length(d.query) - length(fyke_domain(d.query)))))) || ' bits each; types ' || group_concat(DISTINCT d.type) AS evidence,
  min(s.id) AS session_id, min(d.time_us) AS first_us, max(d.time_us) AS last_us
FROM dns AS d JOIN sessions AS s ON s.id = d.session_id
WHERE d.protocol = 'dns' AND d.query NOT LIKE '%.arpa' AND length(d.query) > length(fyke_domain(d.query))
GROUP BY s.client_ip, fyke_domain(d.query)
HAVING count(DISTINCT d.query) >= :names AND avg(length(d.query) - length(fyke_domain(d.query))) >= :length
  AND avg(fyke_entropy(substr(d.query, 1, length(d.query) - length(fyke_domain(d.query))))) >= :entropy

-- title: Numbers of cards or bank accounts go by in clear text
-- severity: high
-- meaning: The numbers pass their checksum (Luhn for cards, ISO 7064 for IBANs), so they are hardly something else. Of one
--   in each file the four first and four last characters are kept, of the others nothing.
-- innocent: Test numbers, sample documents, numbers of goods that happen to fit.
-- advice: Encrypt this way of sending them; who handles cards is bound to (PCI DSS 4.2.1).
SELECT s.client_ip || ' → ' || s.server_ip || ':' || s.server_port || ' (' || n.kind || ')' AS subject, s.client_ip AS host,
  CASE sum(n.count) WHEN 1 THEN 'one number: ' ELSE sum(n.count) || ' numbers, such as ' END || min(n.masked) AS evidence, min(s.id) AS session_id,
  json_group_array(n.frame) AS frames, min(n.time_us) AS first_us, max(n.time_us) AS last_us
FROM sensitive_numbers AS n JOIN sessions AS s ON s.id = n.session_id
WHERE EXISTS (SELECT 1 FROM sensitive_numbers)
GROUP BY s.client_ip, s.server_ip, s.server_port, n.kind

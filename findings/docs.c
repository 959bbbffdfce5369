/* docs/findings.md, from the heads of the rules. */
#include "findings/findings.h"

static const char intro[] = "# Findings\n\n"
			    "Made by `make docs` from the heads of `findings/*.sql`; do not edit.\n\n"
			    "Rules look at a session database and say what needs eyes. They run at the end "
			    "of `fyke analyze`, every five\n"
			    "minutes and at the end of `fyke monitor` (`--rules-every`), and whenever `fyke "
			    "findings` is called; the first two\n"
			    "keep what they find in the table `findings`. A finding is evidence, with the "
			    "sessions that show it. It is never a\n"
			    "verdict: each rule says what else it may be.\n\n"
			    "    fyke findings                             all rules, on the last capture\n"
			    "    fyke findings --severity medium           only what is graver\n"
			    "    fyke findings beacon upload               these two rules\n"
			    "    fyke findings --rules ~/rules             and your own\n\n"
			    "What is one's own network matters for many of them: name it with `--home-net` "
			    "(at the analysis, then it is kept).\n"
			    "Without it, a host's own network is its /24 (IPv6: /64), private ranges are "
			    "private, and the rest is the world.\n\n"
			    "How to write a rule: [findings/README.md](../findings/README.md). A rule whose "
			    "tables this database does not have\n"
			    "(no HTTP was seen: no table `http`) is skipped; `fyke findings -v` tells.\n\n";

static void write_rule(const struct fyke_rule *rule, FILE *out)
{
	(void)fprintf(out, "## %s\n\n**%s** (%s)\n\n%s\n\n", rule->name, rule->title,
		fyke_severity_name(rule->severity), rule->meaning);
	(void)fprintf(out, "- *What else it may be:* %s\n- *What to do:* %s\n", rule->innocent, rule->advice);
	for (size_t i = 0; i < rule->number_count; i++)
		(void)fprintf(out, "- `%s` = %g %s\n", rule->numbers[i].name, rule->numbers[i].value,
			rule->numbers[i].doc);
	(void)fputc('\n', out);
}

void fyke_findings_write_docs(const struct fyke_rules *rules, FILE *out)
{
	(void)fputs(intro, out);
	for (size_t i = 0; i < rules->count; i++)
		write_rule(&rules->list[i], out);
}

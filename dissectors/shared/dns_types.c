/*
 * The names of types, classes and codes (https://www.iana.org/assignments/dns-parameters), and for each
 * type the letters of its fields, as dns_rdata.c reads them.
 */
#include "dissectors/shared/dns.h"

struct type {
	uint16_t number;
	const char *name;
	const char *fields; /* NULL: only the name is known */
};

/* Ascending. https://www.iana.org/assignments/dns-parameters */
static const struct type types[] = {
	{1, "A", "a"},
	{2, "NS", "n"},
	{3, "MD", "n"},
	{4, "MF", "n"},
	{5, "CNAME", "n"},
	{6, "SOA", "nn44444"},
	{7, "MB", "n"},
	{8, "MG", "n"},
	{9, "MR", "n"},
	{10, "NULL", NULL},
	{11, "WKS", NULL},
	{12, "PTR", "n"},
	{13, "HINFO", "ss"},
	{14, "MINFO", "nn"},
	{15, "MX", "2n"},
	{16, "TXT", "T"},
	{17, "RP", "nn"},
	{18, "AFSDB", "2n"},
	{19, "X25", "s"},
	{20, "ISDN", "T"},
	{21, "RT", "2n"},
	{22, "NSAP", NULL},
	{23, "NSAP-PTR", "n"},
	{24, "SIG", "t114dd2nb"},
	{25, "KEY", "211b"},
	{26, "PX", "2nn"},
	{27, "GPOS", "sss"},
	{28, "AAAA", "6"},
	{29, "LOC", NULL},
	{30, "NXT", NULL},
	{31, "EID", NULL},
	{32, "NIMLOC", NULL},
	{33, "SRV", "222n"},
	{34, "ATMA", NULL},
	{35, "NAPTR", "22sssn"},
	{36, "KX", "2n"},
	{37, "CERT", "221b"},
	{38, "A6", NULL},
	{39, "DNAME", "n"},
	{40, "SINK", NULL},
	{41, "OPT", NULL},
	{42, "APL", NULL},
	{43, "DS", "211x"},
	{44, "SSHFP", "11x"},
	{45, "IPSECKEY", NULL},
	{46, "RRSIG", "t114dd2nb"},
	{47, "NSEC", "nm"},
	{48, "DNSKEY", "211b"},
	{49, "DHCID", "b"},
	{50, "NSEC3", "112hSm"},
	{51, "NSEC3PARAM", "112h"},
	{52, "TLSA", "111x"},
	{53, "SMIMEA", "111x"},
	{55, "HIP", NULL},
	{56, "NINFO", "T"},
	{57, "RKEY", NULL},
	{58, "TALINK", "nn"},
	{59, "CDS", "211x"},
	{60, "CDNSKEY", "211b"},
	{61, "OPENPGPKEY", "b"},
	{62, "CSYNC", "42m"},
	{63, "ZONEMD", "411x"},
	{64, "SVCB", "2nv"},
	{65, "HTTPS", "2nv"},
	{66, "DSYNC", "t12n"},
	{99, "SPF", "T"},
	{104, "NID", NULL},
	{105, "L32", "2a"},
	{106, "L64", NULL},
	{107, "LP", "2n"},
	{108, "EUI48", "x"},
	{109, "EUI64", "x"},
	{249, "TKEY", NULL},
	{250, "TSIG", NULL},
	{251, "IXFR", NULL},
	{252, "AXFR", NULL},
	{253, "MAILB", NULL},
	{254, "MAILA", NULL},
	{255, "ANY", NULL},
	{256, "URI", "22q"},
	{257, "CAA", "1cq"},
	{258, "AVC", "T"},
	{259, "DOA", NULL},
	{260, "AMTRELAY", NULL},
	{261, "RESINFO", "T"},
	{262, "WALLET", "T"},
	{32768, "TA", "211x"},
	{32769, "DLV", "211x"},
	{65281, "WINS", NULL},
	{65282, "WINSR", NULL},
};

static const struct type *find(uint16_t number)
{
	size_t low = 0, high = sizeof(types) / sizeof(types[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (types[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(types) / sizeof(types[0]) && types[low].number == number ? &types[low] : NULL;
}

bool fyke_dns_type_is_known(uint16_t type)
{
	return find(type) != NULL;
}

void fyke_dns_type(uint16_t type, struct fyke_phrase *out)
{
	const struct type *known = find(type);

	fyke_phrase_word(out, known != NULL ? known->name : "TYPE");
	if (known == NULL)
		fyke_phrase_number(out, type);
}

void fyke_dns_netbios_type(uint16_t type, struct fyke_phrase *out)
{
	if (type == 32 || type == 33)
		fyke_phrase_word(out, type == 32 ? "NB" : "NBSTAT");
	else
		fyke_dns_type(type, out);
}

void fyke_dns_class(uint16_t class, struct fyke_phrase *out)
{
	static const char *const names[] = {NULL, "IN", "CS", "CH", "HS"};
	const char *name = class == 254				      ? "NONE"
			   : class == 255			      ? "ANY"
			   : class < sizeof(names) / sizeof(names[0]) ? names[class]
								      : NULL;

	fyke_phrase_word(out, name != NULL ? name : "CLASS");
	if (name == NULL)
		fyke_phrase_number(out, class);
}

void fyke_dns_rcode(unsigned rcode, struct fyke_phrase *out)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", NULL, NULL, NULL, NULL,
		"BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC", "BADCOOKIE"};

	if (rcode < sizeof(names) / sizeof(names[0]) && names[rcode] != NULL) {
		fyke_phrase_word(out, names[rcode]);
		return;
	}
	fyke_phrase_word(out, "RCODE");
	fyke_phrase_number(out, rcode);
}

const char *fyke_dns_fields(uint16_t type)
{
	const struct type *known = find(type);

	return known != NULL ? known->fields : NULL;
}

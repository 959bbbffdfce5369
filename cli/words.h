/* Phrases for the short names that stand in databases. */
#ifndef FYKE_CLI_WORDS_H
#define FYKE_CLI_WORDS_H

/* For a reason of refusal, as the reports want it; NULL for one that this fyke does not know. */
const char *fyke_refusal_words(const char *reason);

#endif

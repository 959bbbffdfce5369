/*
 * Replays tests/fuzz/corpus/<harness>/ through a fuzz harness with any compiler: each file once whole,
 * in a buffer of exactly its size, so that a read past the end shows.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long length = -1;
	int result = -1;

	if (file == NULL)
		return -1;
	if (fseek(file, 0, SEEK_END) == 0)
		length = ftell(file);
	if (length >= 0 && fseek(file, 0, SEEK_SET) == 0)
		bytes = malloc(length > 0 ? (size_t)length : 1);
	if (bytes != NULL && fread(bytes, 1, (size_t)length, file) == (size_t)length) {
		(void)LLVMFuzzerTestOneInput(bytes, (size_t)length);
		result = 0;
	}
	free(bytes);
	fclose(file);
	return result;
}

static int replay_directory(const char *directory, const char *name)
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;
	unsigned files = 0;

	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= (int)sizeof(path) ||
			replay(path) != 0) {
			printf("not ok %s: cannot read %s\n", name, path);
			closedir(entries);
			return 1;
		}
		files++;
	}
	if (entries != NULL)
		closedir(entries);
	if (files == 0)
		printf("skip %s: no corpus in %s\n", name, directory);
	else
		printf("ok %s: replayed %u files\n", name, files);
	return 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	char directory[4096];

	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			if (replay(argv[i]) != 0)
				fprintf(stderr, "cannot read %s\n", argv[i]);
		}
		return 0;
	}
	if (strncmp(name, "fuzz_", 5) == 0)
		(void)snprintf(directory, sizeof(directory), "tests/fuzz/corpus/%s", name + 5);
	else
		(void)snprintf(directory, sizeof(directory), "tests/fuzz/corpus/%s", name);
	return replay_directory(directory, name);
}

/*
 * Files on their way: counted, hashed, sniffed and searched for numbers of cards and accounts as their bytes
 * pass, saved where somebody wants them.
 *
 * A hash is told only of a file without holes. MD5 and SHA-256 are libcrypto's.
 */
#include "analyzer/base/digest.h"
#include "analyzer/dissect/parts.h"
#include "analyzer/dissect/sensitive.h"
#include "analyzer/dissect/sniff.h"
#include "analyzer/session/session.h"

#include <string.h>

enum { NAME_MAX_BYTES = 1024, TYPE_MAX_BYTES = 256, SAVED_AS_BYTES = 128, FILES_KEPT = 256 };

struct fyke_file {
	struct fyke_file *next;
	struct fyke_moment begun;
	enum fyke_side sender;
	int64_t declared_bytes, offset;
	bool is_range, is_no_file;
	bool is_hashed; /* so far without a hole */
	uint64_t bytes, missing;
	char *name, *type;
	uint32_t name_length, type_length;
	struct fyke_digest md5, sha256;
	void *handle; /* of the store */
	struct fyke_sensitive sensitive;
	uint16_t head_length;
	uint8_t head[FYKE_SNIFF_BYTES];
};

static char *copy_of(
	struct fyke_blocks *blocks, const struct fyke_value *value, uint32_t max, uint32_t *length)
{
	char *copy;

	if (value->kind != FYKE_VALUE_BYTES)
		return NULL;
	*length = value->length < max ? value->length : max;
	copy = fyke_blocks_take(blocks, (size_t)*length + 1);
	if (copy != NULL && *length > 0)
		memcpy(copy, value->bytes, *length);
	return copy;
}

void fyke_dissect_keep_files(struct fyke_dissect_memory *memory)
{
	fyke_spares_init(&memory->files, sizeof(struct fyke_file), FILES_KEPT);
}

struct fyke_file *fyke_file_begin(struct fyke_dissection *dissection, const struct fyke_file_about *about)
{
	const struct fyke_file_store *store = dissection->options.store;
	struct fyke_blocks *blocks = fyke_dissect_blocks(dissection);
	struct fyke_file *file;

	if (dissection->file_count == FYKE_DISSECT_FILES)
		return NULL;
	file = fyke_spares_take(&dissection->options.memory->files);
	if (file == NULL)
		return NULL;
	file->begun = dissection->now;
	file->sender = about->sender;
	file->declared_bytes = about->size;
	file->offset = about->offset;
	file->is_range = about->is_range;
	file->is_no_file = about->is_no_file;
	file->name = copy_of(blocks, &about->name, NAME_MAX_BYTES, &file->name_length);
	file->type = copy_of(blocks, &about->type, TYPE_MAX_BYTES, &file->type_length);
	if (!dissection->options.no_file_hashes && !file->is_no_file) {
		file->is_hashed = true;
		fyke_digest_begin(&file->md5, FYKE_MD5);
		fyke_digest_begin(&file->sha256, FYKE_SHA256);
	}
	if (store != NULL && !file->is_no_file)
		file->handle = store->begin(store->context, dissection->now.frame);
	file->next = dissection->files;
	dissection->files = file;
	dissection->file_count++;
	return file;
}

void fyke_file_data(
	struct fyke_dissection *dissection, struct fyke_file *file, const void *bytes, size_t length)
{
	const struct fyke_file_store *store = dissection->options.store;
	size_t head;

	if (file == NULL || length == 0)
		return;
	head = file->bytes == 0 || file->head_length > 0 ? sizeof(file->head) - file->head_length : 0;
	if (head > length)
		head = length;
	if (head > 0 && file->missing == 0)
		memcpy(file->head + file->head_length, bytes, head);
	if (file->missing == 0)
		file->head_length = (uint16_t)(file->head_length + head);
	file->bytes += length;
	fyke_sensitive_scan(&file->sensitive, bytes, length);
	if (file->is_hashed)
		fyke_digest_add_both(&file->md5, &file->sha256, bytes, length);
	if (file->handle != NULL)
		store->data(store->context, file->handle, bytes, length);
}

void fyke_file_missing(struct fyke_dissection *dissection, struct fyke_file *file, uint64_t length)
{
	const struct fyke_file_store *store = dissection->options.store;

	if (file == NULL || length == 0)
		return;
	file->missing += length;
	fyke_sensitive_gap(&file->sensitive);
	file->is_hashed = false;
	if (file->handle != NULL)
		store->gap(store->context, file->handle, length);
}

static struct fyke_value hex_of(struct fyke_digest *digest, char text[2 * FYKE_DIGEST_BYTES + 1])
{
	uint8_t bytes[FYKE_DIGEST_BYTES];
	size_t length = fyke_digest_end(digest, bytes);

	fyke_hex(bytes, length, text);
	return fyke_bytes(text, 2 * length);
}

static void tell(struct fyke_dissection *dissection, struct fyke_file *file, bool complete)
{
	const struct fyke_file_store *store = dissection->options.store;
	const char *type = fyke_sniff(file->head, file->head_length);
	char md5[2 * FYKE_DIGEST_BYTES + 1], sha256[2 * FYKE_DIGEST_BYTES + 1], saved_as[SAVED_AS_BYTES] = "";
	struct fyke_value values[FYKE_FILES_COUNT] = {{0}};

	if (file->handle != NULL)
		store->end(store->context, file->handle, type, complete && file->missing == 0, saved_as,
			sizeof(saved_as));
	file->handle = NULL;
	values[FYKE_FILES_PROTOCOL] = fyke_word(dissection->dissector->name);
	values[FYKE_FILES_SENDER] = fyke_word(file->sender == FYKE_CLIENT ? "client" : "server");
	values[FYKE_FILES_NAME] = fyke_bytes(file->name, file->name_length);
	values[FYKE_FILES_DECLARED_TYPE] = fyke_bytes(file->type, file->type_length);
	values[FYKE_FILES_TYPE] = fyke_word(type);
	values[FYKE_FILES_DECLARED_BYTES] = fyke_integer_if(file->declared_bytes >= 0, file->declared_bytes);
	values[FYKE_FILES_OFFSET_BYTES] = fyke_integer_if(file->is_range, file->offset);
	values[FYKE_FILES_BYTES] = fyke_integer((int64_t)file->bytes);
	values[FYKE_FILES_MISSING_BYTES] = fyke_integer((int64_t)file->missing);
	values[FYKE_FILES_COMPLETE] = fyke_integer(complete && file->missing == 0);
	if (file->is_hashed) {
		values[FYKE_FILES_MD5] = hex_of(&file->md5, md5);
		values[FYKE_FILES_SHA256] = hex_of(&file->sha256, sha256);
	}
	values[FYKE_FILES_SAVED_AS] = saved_as[0] != '\0' ? fyke_word(saved_as) : fyke_null();
	fyke_dissect_record(dissection, &fyke_table_transferred_files, &file->begun, values);
}

static void tell_sensitive(struct fyke_dissection *dissection, struct fyke_file *file)
{
	static const char *const kinds[] = {[FYKE_SENSITIVE_CARD] = "card", [FYKE_SENSITIVE_IBAN] = "iban"};

	fyke_sensitive_end(&file->sensitive);
	for (int kind = 0; kind < FYKE_SENSITIVE_KINDS; kind++) {
		const struct fyke_sensitive_found *found = &file->sensitive.found[kind];
		struct fyke_value values[FYKE_SENSITIVE_NUMBERS_COUNT] = {{0}};

		if (found->count == 0)
			continue;
		values[FYKE_SENSITIVE_NUMBERS_PROTOCOL] = fyke_word(dissection->dissector->name);
		values[FYKE_SENSITIVE_NUMBERS_SENDER] =
			fyke_word(file->sender == FYKE_CLIENT ? "client" : "server");
		values[FYKE_SENSITIVE_NUMBERS_KIND] = fyke_word(kinds[kind]);
		values[FYKE_SENSITIVE_NUMBERS_MASKED] = fyke_word(found->masked);
		values[FYKE_SENSITIVE_NUMBERS_NUMBERS] = fyke_integer(found->count);
		fyke_dissect_record(dissection, &fyke_table_sensitive_numbers, &file->begun, values);
	}
}

static void drop(struct fyke_dissection *dissection, struct fyke_file *file)
{
	struct fyke_file **place = &dissection->files;
	struct fyke_blocks *blocks = fyke_dissect_blocks(dissection);

	while (*place != file)
		place = &(*place)->next;
	*place = file->next;
	dissection->file_count--;
	if (file->handle != NULL)
		dissection->options.store->discard(dissection->options.store->context, file->handle);
	fyke_blocks_give(blocks, file->name, (size_t)file->name_length + 1);
	fyke_blocks_give(blocks, file->type, (size_t)file->type_length + 1);
	fyke_spares_give(&dissection->options.memory->files, file);
}

void fyke_file_end(struct fyke_dissection *dissection, struct fyke_file *file, bool complete)
{
	if (file == NULL)
		return;
	if (!file->is_no_file) {
		fyke_confirm(dissection);
		tell(dissection, file, complete);
	}
	tell_sensitive(dissection, file);
	drop(dissection, file);
}

void fyke_dissect_end_files(struct fyke_dissection *dissection)
{
	while (dissection->files != NULL)
		fyke_file_end(dissection, dissection->files, false);
}

void fyke_dissect_drop_files(struct fyke_dissection *dissection)
{
	while (dissection->files != NULL)
		drop(dissection, dissection->files);
}

size_t fyke_dissect_files_held(const struct fyke_dissection *dissection)
{
	return dissection->file_count * (sizeof(struct fyke_file) + NAME_MAX_BYTES);
}

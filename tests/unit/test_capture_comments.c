/* What a pcapng says beside its packets: who wrote it, its interfaces in words, comments; up to the sink. */
#include "tests/unit/capture_bytes.h"

#include "analyzer/pipeline.h"

enum { SECOND_US = 1000000, OPTION_COMMENT = 1 };

static void put_text(struct bytes *body, unsigned code, const char *text)
{
	ng_option(body, code, text, strlen(text));
}

static void put_section(struct bytes *b, bool big_endian, const char *application, const char *comment)
{
	struct bytes body = {.big_endian = big_endian};

	b->big_endian = big_endian;
	put32(&body, 0x1a2b3c4d);
	put16(&body, 1);
	put16(&body, 0);
	put32(&body, 0xffffffff);
	put32(&body, 0xffffffff);
	if (application != NULL)
		put_text(&body, 4, application);
	put_text(&body, OPTION_COMMENT, comment);
	put_text(&body, 3, "Plan 9");
	put_text(&body, 2, "toaster");
	put_text(&body, OPTION_COMMENT, "and more");
	ng_option(&body, 0, NULL, 0);
	ng_block(b, 0x0a0d0d0a, body);
}

static void put_interface(struct bytes *b, unsigned link, const char *name)
{
	struct bytes body = ng_interface_body(b, link, 96);

	put_text(&body, 2, name);
	ng_option(&body, 11, "\0tcp", 4);
	put_text(&body, 12, "Plan 9");
	put_text(&body, 15, "wire");
	put_text(&body, OPTION_COMMENT, "one");
	put_text(&body, OPTION_COMMENT, "two");
	ng_block(b, 1, body);
}

/* Comments around the flags, which tell of 4 bytes of check sequence. */
static void put_packet(struct bytes *b, uint32_t id, unsigned second, const char *first, const char *next)
{
	struct bytes body = ng_packet_body(b, id, (uint64_t)second * SECOND_US, 61, 61);
	struct bytes flags = {.big_endian = b->big_endian};

	put_pattern(&body, 61, second);
	put(&body, "\0\0\0", 3);
	put32(&flags, 4 << 5);
	if (first != NULL)
		put_text(&body, OPTION_COMMENT, first);
	ng_option(&body, 2, flags.data, 4);
	if (next != NULL)
		put_text(&body, OPTION_COMMENT, next);
	free(flags.data);
	ng_block(b, 6, body);
}

/* "1:first;3:second;" of all that a source says about packets; the rest of it in *told. */
struct told {
	char comments[4096];
	size_t count;
	char file[2048], interfaces[1024], damage[512];
};

static void tell_block(struct told *told, const struct fyke_block *block)
{
	uint64_t last = 0;

	for (size_t i = 0; i < block->comment_count; i++) {
		const struct fyke_comment *comment = &block->comments[i];
		size_t at = strlen(told->comments);

		assert_true(comment->frame >= last && comment->length > 0);
		assert_true(comment->frame >= block->frames[0].number);
		assert_true(comment->frame <= block->frames[block->count - 1].number);
		last = comment->frame;
		told->count++;
		(void)snprintf(told->comments + at, sizeof(told->comments) - at, "%u:%.*s;",
			(unsigned)comment->frame, (int)comment->length, comment->text);
	}
}

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

static void tell_lists(struct told *told, struct fyke_source *source)
{
	size_t count;
	const struct fyke_source_file *files = fyke_source_files(source, &count);
	const struct fyke_source_interface *interfaces;

	(void)snprintf(told->file, sizeof(told->file), "%s|%s|%s|%s", or_dash(files[0].application),
		or_dash(files[0].os), or_dash(files[0].hardware), or_dash(files[0].comment));
	(void)snprintf(told->damage, sizeof(told->damage), "%s", or_dash(files[0].damage));
	interfaces = fyke_source_interfaces(source, &count);
	for (size_t i = 0; i < count; i++) {
		size_t at = strlen(told->interfaces);

		(void)snprintf(told->interfaces + at, sizeof(told->interfaces) - at, "%u:%s|%u|%s|%s|%s|%s;",
			interfaces[i].file, interfaces[i].name, interfaces[i].link_type,
			or_dash(interfaces[i].filter), or_dash(interfaces[i].os),
			or_dash(interfaces[i].hardware), or_dash(interfaces[i].comment));
	}
}

static struct told tell(const char *const *names, size_t count, const struct fyke_source_options *options)
{
	struct told told = {0};
	struct fyke_source *source = NULL;
	struct fyke_error error = {0};
	struct fyke_block *block;

	if (fyke_source_files_open(names, count, options, &source, &error) != FYKE_OK)
		fail_msg("%s", error.text);
	while (fyke_source_next(source, &block, &error) == FYKE_SOURCE_BLOCK) {
		tell_block(&told, block);
		fyke_block_release(block);
	}
	tell_lists(&told, source);
	fyke_source_free(source);
	return told;
}

static struct told tell_bytes(struct bytes bytes, const struct fyke_source_options *options)
{
	struct memory_file file = memory_file(bytes.data, bytes.length);
	const char *names[] = {file.name};
	struct told told = tell(names, 1, options);

	(void)close(file.fd);
	free(bytes.data);
	return told;
}

static struct bytes commented(bool big_endian)
{
	struct bytes b = {0};

	put_section(&b, big_endian, "Editor 1.2", "first");
	put_interface(&b, 1, "eth0");
	put_interface(&b, 113, "any");
	put_packet(&b, 0, 10, "a", NULL);
	put_packet(&b, 1, 11, NULL, NULL);
	put_packet(&b, 1, 12, "b", "c");
	return b;
}

static void test_capture_comments_are_told(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct told told = tell_bytes(commented(big), NULL);

		assert_string_equal(told.comments, "1:a;3:b;3:c;");
		assert_string_equal(told.file, "Editor 1.2|Plan 9|toaster|first\nand more");
		assert_string_equal(told.interfaces,
			"0:eth0|1|tcp|Plan 9|wire|one\ntwo;0:any|113|tcp|Plan 9|wire|one\ntwo;");
		assert_string_equal(told.damage, "-");
	}
}

static void test_capture_comments_keep_the_check_sequence(void **state)
{
	struct reading r = read_bytes(commented(false), NULL);

	(void)state;
	assert_int_equal(r.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(r.frames[i].fcs_length, 4);
	free_reading(&r);
}

/* Sections add lines to the comment; of the rest the first counts. */
static void test_capture_comments_of_sections(void **state)
{
	struct bytes b = {0};
	struct told told;

	(void)state;
	put_section(&b, true, NULL, "one");
	put_section(&b, false, "Second", "two");
	put_section(&b, true, "Third", "three");
	put_interface(&b, 1, "eth0");
	put_packet(&b, 0, 1, "x", NULL);
	told = tell_bytes(b, NULL);
	assert_string_equal(told.file, "Second|Plan 9|toaster|one\nand more\ntwo\nand more\nthree\nand more");
	assert_string_equal(told.comments, "1:x;");
}

static struct bytes copy_of(const struct bytes *b)
{
	struct bytes copy = {0};

	put(&copy, b->data, b->length);
	return copy;
}

static void test_capture_comments_follow_the_filter(void **state)
{
	const struct fyke_source_options longer = {.filter = "greater 61", .frame_limit = 2};
	const struct fyke_source_options none = {.filter = "greater 62"};
	const struct fyke_source_options one = {.frame_limit = 1};
	struct bytes b = {0};
	struct told told;

	(void)state;
	put_section(&b, false, "x", "y");
	put_interface(&b, 1, "eth0");
	for (unsigned i = 1; i <= 6; i++) {
		char text[2] = {(char)('a' + i), '\0'};
		struct bytes body = ng_packet_body(&b, 0, i, i % 2 == 0 ? 64 : 16, i % 2 == 0 ? 64 : 16);

		put_pattern(&body, i % 2 == 0 ? 64 : 16, i);
		put_text(&body, OPTION_COMMENT, text);
		ng_block(&b, 6, body);
	}
	told = tell_bytes(copy_of(&b), &longer);
	assert_string_equal(told.comments, "2:c;4:e;");
	told = tell_bytes(copy_of(&b), &one);
	assert_string_equal(told.comments, "1:b;");
	told = tell_bytes(commented(false), &none);
	assert_string_equal(told.comments, "");
	free(b.data);
}

static void test_capture_comments_of_several_files(void **state)
{
	struct bytes early = {0}, late = commented(true);
	struct memory_file files[2];
	const char *names[2];
	struct told told;

	(void)state;
	put_section(&early, false, "Early", "first");
	put_interface(&early, 101, "tun0");
	put_packet(&early, 0, 1, "e", NULL);
	files[0] = memory_file(late.data, late.length);
	files[1] = memory_file(early.data, early.length);
	names[0] = files[0].name;
	names[1] = files[1].name;
	told = tell(names, 2, NULL);
	assert_string_equal(told.comments, "1:e;2:a;4:b;4:c;");
	assert_string_equal(told.file, "Early|Plan 9|toaster|first\nand more"); /* read twice, told once */
	assert_has(told.interfaces, "0:tun0|101|tcp|Plan 9|wire|one\ntwo;1:eth0|1|");
	for (size_t i = 0; i < 2; i++)
		(void)close(files[i].fd);
	free(early.data);
	free(late.data);
}

/* NULs behind a text are none of it, an empty text is none, an option that runs over its block neither. */
static void test_capture_comments_of_odd_bytes(void **state)
{
	struct bytes b = {0}, body;
	struct told told;

	(void)state;
	ng_section(&b, false);
	put_interface(&b, 1, "eth0");
	body = ng_packet_body(&b, 0, 1, 4, 4);
	put_pattern(&body, 4, 1);
	ng_option(&body, OPTION_COMMENT, "end\0\0", 5);
	ng_option(&body, OPTION_COMMENT, "\0", 1);
	ng_option(&body, OPTION_COMMENT, "", 0);
	ng_option(&body, OPTION_COMMENT, "\xff\x1b", 2);
	put16(&body, OPTION_COMMENT);
	put16(&body, 65535);
	put(&body, "over", 4);
	ng_block(&b, 6, body);
	told = tell_bytes(b, NULL);
	assert_string_equal(told.comments, "1:end;1:\xff\x1b;");
	assert_string_equal(told.file, "-|-|-|-");
}

static void test_capture_comments_are_bounded(void **state)
{
	struct bytes b = {0}, body;
	char *longest = malloc(65535);
	struct told told;

	(void)state;
	memset(longest, 'l', 65535);
	ng_section(&b, false);
	put_interface(&b, 1, "eth0");
	body = ng_packet_body(&b, 0, 1, 4, 4);
	put_pattern(&body, 4, 1);
	for (int i = 0; i < 300; i++)
		put_text(&body, OPTION_COMMENT, "c");
	ng_block(&b, 6, body);
	told = tell_bytes(b, NULL);
	assert_int_equal(told.count, 256);
	assert_has(told.damage, "more than 256 comments");

	b = (struct bytes){0};
	for (int i = 0; i < 5; i++) {
		body = (struct bytes){0};
		put32(&body, 0x1a2b3c4d);
		put16(&body, 1);
		put16(&body, 0);
		put32(&body, 0xffffffff);
		put32(&body, 0xffffffff);
		ng_option(&body, OPTION_COMMENT, longest, 65535);
		ng_block(&b, 0x0a0d0d0a, body);
	}
	told = tell_bytes(b, NULL);
	assert_has(told.damage, "more comments than fyke keeps");
	free(longest);
}

/* Blocks that are kept while others are read keep their comments. */
static void test_capture_comments_belong_to_their_block(void **state)
{
	enum { PACKETS = 6000, HELD = 64 };
	struct bytes b = {0};
	struct fyke_block *held[HELD];
	struct memory_file file;
	const char *names[1];
	struct fyke_source *source;
	size_t count = 0, comments = 0;
	char text[40];

	(void)state;
	ng_section(&b, false);
	put_interface(&b, 1, "eth0");
	for (unsigned i = 1; i <= PACKETS; i++) {
		(void)snprintf(text, sizeof(text), "about %u", i);
		put_packet(&b, 0, i, i % 3 == 0 ? text : NULL, NULL);
	}
	file = memory_file(b.data, b.length);
	names[0] = file.name;
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, NULL), FYKE_OK);
	while (fyke_source_next(source, &held[count], NULL) == FYKE_SOURCE_BLOCK)
		assert_true(++count < HELD);
	assert_true(count > 1);
	fyke_source_free(source);
	for (size_t i = 0; i < count; i++) {
		for (size_t c = 0; c < held[i]->comment_count; c++) {
			const struct fyke_comment *comment = &held[i]->comments[c];

			(void)snprintf(text, sizeof(text), "about %u", (unsigned)(++comments * 3));
			assert_int_equal(comment->frame, comments * 3);
			assert_int_equal(comment->length, strlen(text));
			assert_memory_equal(comment->text, text, comment->length);
		}
		fyke_block_release(held[i]);
	}
	assert_int_equal(comments, PACKETS / 3);
	(void)close(file.fd);
	free(b.data);
}

struct taken {
	uint64_t comments, ticks, last_frame, most_bytes;
};

static enum fyke_status take(void *context, struct fyke_tick *tick, struct fyke_error *error)
{
	struct taken *taken = context;
	uint64_t bytes = 0;

	(void)error;
	assert_int_equal(tick->number, taken->ticks++);
	for (size_t i = 0; i < tick->comment_count; i++) {
		assert_true(tick->comments[i].frame >= taken->last_frame);
		assert_int_equal(tick->comments[i].text[0], 'l');
		assert_int_equal(tick->comments[i].file, 0);
		taken->last_frame = tick->comments[i].frame;
		taken->comments++;
		bytes += tick->comments[i].length;
	}
	taken->most_bytes = bytes > taken->most_bytes ? bytes : taken->most_bytes;
	fyke_tick_free(tick);
	return FYKE_OK;
}

/* However long they are, no hand-over grows beyond a bound, and none is lost. */
static void test_capture_comments_reach_the_sink(void **state)
{
	enum { PACKETS = 100, LENGTH = 60000 };
	struct fyke_pipeline_options options = {0};
	struct fyke_pipeline_counters counters;
	struct taken taken = {0};
	struct fyke_sink sink = {&taken, take};
	struct fyke_services *services;
	struct memory_file file;
	const char *names[1];
	struct fyke_source *source;
	struct bytes b = {0};
	char *text = calloc(1, LENGTH + 1);

	(void)state;
	memset(text, 'l', LENGTH);
	ng_section(&b, false);
	put_interface(&b, 1, "eth0");
	for (unsigned i = 1; i <= PACKETS; i++)
		put_packet(&b, 0, i, text, text);
	file = memory_file(b.data, b.length);
	names[0] = file.name;
	assert_int_equal(fyke_services_new(NULL, &services, NULL), FYKE_OK);
	options.engine.services = services;
	assert_int_equal(fyke_source_files_open(names, 1, NULL, &source, NULL), FYKE_OK);
	assert_int_equal(fyke_pipeline_run(source, &options, &sink, &counters, NULL), FYKE_OK);
	assert_int_equal(taken.comments, 2 * PACKETS);
	assert_int_equal(taken.last_frame, PACKETS);
	assert_int_equal(counters.frames, PACKETS);
	assert_true(taken.ticks > 5);
	assert_true(taken.most_bytes < (1 << 20) + 65536);
	fyke_source_free(source);
	fyke_services_free(services);
	(void)close(file.fd);
	free(b.data);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_comments_are_told),
		cmocka_unit_test(test_capture_comments_keep_the_check_sequence),
		cmocka_unit_test(test_capture_comments_of_sections),
		cmocka_unit_test(test_capture_comments_follow_the_filter),
		cmocka_unit_test(test_capture_comments_of_several_files),
		cmocka_unit_test(test_capture_comments_of_odd_bytes),
		cmocka_unit_test(test_capture_comments_are_bounded),
		cmocka_unit_test(test_capture_comments_belong_to_their_block),
		cmocka_unit_test(test_capture_comments_reach_the_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

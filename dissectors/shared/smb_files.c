/* SMB's trees, open files, their data, and requests that wait for an answer. The oldest go when there are too
 * many. */
#include "dissectors/shared/smb.h"

#include <stdio.h>
#include <string.h>

struct fyke_smb_pending *fyke_smb_asked(struct fyke_smb *smb, uint64_t id, uint16_t command)
{
	for (struct fyke_smb_pending *p = smb->pending; p != NULL; p = p->next) {
		if (p->id == id && p->command == command)
			return p;
	}
	return NULL;
}

void fyke_smb_answered(
	struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_pending *pending)
{
	struct fyke_smb_pending **at = &smb->pending;

	while (*at != NULL && *at != pending)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = pending->next;
	smb->pending_count--;
	fyke_drop(dissection, &pending->name);
	fyke_drop(dissection, &pending->new_name);
	fyke_drop(dissection, &pending->client_dialects);
	fyke_drop(dissection, &pending->native_os);
	fyke_drop(dissection, &pending->native_lm);
	fyke_give(dissection, pending);
}

struct fyke_smb_pending *fyke_smb_ask(
	struct fyke_dissection *dissection, struct fyke_smb *smb, uint64_t id, uint16_t command)
{
	struct fyke_smb_pending **last = &smb->pending, *pending;

	if (smb->pending_count >= FYKE_SMB_PENDING)
		fyke_smb_answered(dissection, smb, smb->pending);
	pending = fyke_take(dissection, sizeof(*pending));
	if (pending == NULL)
		return NULL;
	while (*last != NULL)
		last = &(*last)->next;
	*last = pending;
	smb->pending_count++;
	pending->id = id;
	pending->command = command;
	pending->moment = fyke_now(dissection);
	return pending;
}

struct fyke_smb_tree *fyke_smb_tree(struct fyke_smb *smb, uint32_t id)
{
	for (size_t i = 0; i < FYKE_SMB_TREES; i++) {
		if (smb->trees[i].used && smb->trees[i].id == id)
			return &smb->trees[i];
	}
	return NULL;
}

static bool is_ipc(const struct fyke_text *path)
{
	return path->length >= 4 && strncasecmp(path->bytes + path->length - 4, "IPC$", 4) == 0;
}

void fyke_smb_map(struct fyke_dissection *dissection, struct fyke_smb *smb, uint32_t id,
	const struct fyke_text *path, bool pipe)
{
	struct fyke_smb_tree *tree = fyke_smb_tree(smb, id);

	if (tree == NULL)
		tree = &smb->trees[smb->next_tree++ % FYKE_SMB_TREES];
	tree->used = true;
	tree->id = id;
	tree->pipe = pipe || is_ipc(path);
	fyke_keep(dissection, &tree->path, path->bytes, path->length, FYKE_SMB_NAME);
}

struct fyke_smb_file *fyke_smb_file(struct fyke_smb *smb, struct fyke_smb_id id)
{
	for (struct fyke_smb_file *file = smb->files; file != NULL; file = file->next) {
		if (file->id.persistent == id.persistent && file->id.volatile_part == id.volatile_part)
			return file;
	}
	return NULL;
}

static void end_transfer(
	struct fyke_dissection *dissection, struct fyke_smb_file *file, enum fyke_side sender)
{
	bool complete =
		sender == FYKE_CLIENT || (file->size >= 0 && file->place[sender] >= (uint64_t)file->size);

	if (file->transfer[sender] != NULL)
		fyke_file_end(dissection, file->transfer[sender], complete);
	file->transfer[sender] = NULL;
}

static void forget_file(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file)
{
	struct fyke_smb_file **at = &smb->files;

	while (*at != NULL && *at != file)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = file->next;
	smb->file_count--;
	for (int side = 0; side < 2; side++) {
		end_transfer(dissection, file, (enum fyke_side)side);
		if (smb->stream[side].file == file)
			smb->stream[side].file = NULL;
	}
	fyke_drop(dissection, &file->name);
	fyke_give(dissection, file->rpc);
	fyke_give(dissection, file);
}

static struct fyke_smb_file *oldest(struct fyke_smb *smb)
{
	struct fyke_smb_file *file = smb->files;

	while (file != NULL && file->next != NULL)
		file = file->next;
	return file;
}

struct fyke_smb_file *fyke_smb_open(
	struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_id id, uint32_t tree)
{
	struct fyke_smb_file *file = fyke_smb_file(smb, id);
	struct fyke_smb_tree *known = fyke_smb_tree(smb, tree);

	if (file != NULL)
		fyke_smb_close(dissection, smb, file);
	if (smb->file_count >= FYKE_SMB_FILES)
		fyke_smb_close(dissection, smb, oldest(smb));
	file = fyke_take(dissection, sizeof(*file));
	if (file == NULL)
		return NULL;
	file->next = smb->files;
	smb->files = file;
	smb->file_count++;
	file->id = id;
	file->tree = tree;
	file->pipe = known != NULL && known->pipe;
	file->size = -1;
	for (int i = 0; i < 4; i++)
		file->times_us[i] = INT64_MIN;
	return file;
}

static void finish_pipe(struct fyke_dissection *dissection, struct fyke_smb_file *file)
{
	if (file->rpc == NULL)
		return;
	file->rpc->pipe = file->name.bytes;
	file->rpc->pipe_length = file->name.length;
	fyke_dcerpc_end(dissection, file->rpc);
}

void fyke_smb_close(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file)
{
	finish_pipe(dissection, file);
	if (file->deletes)
		fyke_smb_action(dissection, smb, file, "delete", NULL);
	forget_file(dissection, smb, file);
}

void fyke_smb_close_all(struct fyke_dissection *dissection, struct fyke_smb *smb)
{
	while (smb->files != NULL)
		fyke_smb_close(dissection, smb, smb->files);
}

static void begin_transfer(
	struct fyke_dissection *dissection, struct fyke_smb_file *file, enum fyke_side sender)
{
	struct fyke_file_about about = {.sender = sender,
		.name = fyke_text_of(&file->name),
		.size = sender == FYKE_SERVER ? file->size : -1};

	file->transfer[sender] = fyke_file_begin(dissection, &about);
}

/* Data behind what came before begins with a hole, data that came before is not looked at again. */
static size_t align(
	struct fyke_dissection *dissection, struct fyke_smb_file *file, const struct fyke_smb_data *data)
{
	uint64_t *place = &file->place[data->sender];
	uint64_t known = 0;

	if (data->offset > *place) {
		fyke_file_missing(dissection, file->transfer[data->sender], data->offset - *place);
		*place = data->offset;
	} else {
		known = *place - data->offset;
	}
	return known < data->length ? (size_t)known : (size_t)data->length;
}

void fyke_smb_pass(struct fyke_dissection *dissection, struct fyke_smb_file *file, enum fyke_side sender,
	const uint8_t *bytes, size_t length)
{
	if (file == NULL || length == 0)
		return;
	fyke_file_data(dissection, file->transfer[sender], bytes, length);
	file->place[sender] += length;
}

static void pass_pipe(
	struct fyke_dissection *dissection, struct fyke_smb_file *file, const struct fyke_smb_data *data)
{
	if (file->rpc == NULL)
		file->rpc = fyke_take(dissection, sizeof(*file->rpc));
	if (file->rpc == NULL)
		return;
	file->rpc->pipe = file->name.bytes;
	file->rpc->pipe_length = file->name.length;
	fyke_dcerpc_pipe(dissection, file->rpc, data->sender, data->bytes, data->here);
}

/* The tree is not known, and what goes by is a PDU. */
static bool is_pipe(const struct fyke_smb_file *file, const struct fyke_smb_data *data)
{
	return data->here >= FYKE_DCERPC_HEAD && data->offset == 0 && file->size <= 0 &&
	       fyke_dcerpc_length(data->bytes) > 0;
}

void fyke_smb_transfer(struct fyke_dissection *dissection, struct fyke_smb *smb, struct fyke_smb_file *file,
	const struct fyke_smb_data *data)
{
	struct fyke_smb_stream *stream = &smb->stream[data->sender];
	bool write = data->sender == FYKE_CLIENT;
	size_t known;

	*(write ? &file->written_bytes : &file->read_bytes) += data->length;
	if (file->pipe || is_pipe(file, data)) {
		file->pipe = true;
		pass_pipe(dissection, file, data);
		return;
	}
	if (!*(write ? &file->write_told : &file->read_told)) {
		*(write ? &file->write_told : &file->read_told) = true;
		fyke_smb_action(dissection, smb, file, write ? "write" : "read", NULL);
		begin_transfer(dissection, file, data->sender);
	}
	known = align(dissection, file, data);
	if (known < data->here)
		fyke_smb_pass(dissection, file, data->sender, data->bytes + known, data->here - known);
	stream->file = known == 0 || known <= data->here ? file : NULL;
}

void fyke_smb_security(
	struct fyke_dissection *dissection, struct fyke_smb *smb, const uint8_t *blob, size_t length)
{
	char text[256];
	size_t used;

	if (blob == NULL || length == 0)
		return;
	(void)fyke_ntlm_read(dissection, &smb->ntlm, blob, length);
	used = fyke_ticket_service(blob, length, text, sizeof(text));
	if (used > 0)
		fyke_keep(dissection, &smb->ticket, text, used, sizeof(text));
}

struct fyke_value fyke_smb_user(const struct fyke_smb *smb, char *text, size_t room)
{
	size_t length = fyke_ntlm_user(&smb->ntlm, text, room);

	if (length > 0)
		return fyke_bytes(text, length);
	return fyke_text_of(&smb->user);
}

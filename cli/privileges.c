/*
 * Giving up rights: user and group, capabilities, new privileges. Confinement to paths: landlock.c.
 *
 * capget/capset are called raw: libcap would be a dependency for three lines. They act on the calling
 * thread, which is why all this happens before any other is started.
 */
#include "cli/privileges.h"

#include "cli/command.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum fyke_status fyke_privileges_refuse_setuid(struct fyke_error *error)
{
	if (getuid() == geteuid() && getgid() == getegid())
		return FYKE_OK;
	return fyke_error_set(error, FYKE_FAILED_PERMISSION,
		"refuses to run setuid or setgid: remove the bit (chmod ug-s) and use sudo or setcap "
		"cap_net_raw instead");
}

struct target {
	uid_t uid;
	gid_t gid;
	const char *name; /* for the supplementary groups; NULL = none */
};

static bool target_of_user(const char *name, struct target *target)
{
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL)
		return false;
	*target = (struct target){entry->pw_uid, entry->pw_gid, name};
	return true;
}

static bool number_from_environment(const char *name, uint32_t *number)
{
	const char *text = getenv(name);
	uint64_t value;

	/* 2^32 − 1 means "no change" to setresuid */
	if (text == NULL || !fyke_parse_count(text, UINT32_MAX - 1, &value))
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool target_of_sudo(struct target *target)
{
	uint32_t uid, gid;
	const struct passwd *entry;

	if (!number_from_environment("SUDO_UID", &uid) || !number_from_environment("SUDO_GID", &gid) ||
		uid == 0)
		return false;
	entry = getpwuid(uid);
	*target = (struct target){uid, gid, entry == NULL ? NULL : entry->pw_name};
	return true;
}

static enum fyke_status become(const struct target *target, struct fyke_error *error)
{
	int groups = target->name == NULL ? setgroups(0, NULL) : initgroups(target->name, target->gid);

	if (groups != 0 || setresgid(target->gid, target->gid, target->gid) != 0 ||
		setresuid(target->uid, target->uid, target->uid) != 0)
		return fyke_error_set(error, FYKE_FAILED_PERMISSION, "cannot change to user %u: %s",
			(unsigned)target->uid, strerror(errno));
	if (target->uid != 0 && (setuid(0) == 0 || geteuid() == 0))
		return fyke_error_set(
			error, FYKE_FAILED_INTERNAL, "root's rights came back after they were given up");
	return FYKE_OK;
}

static uint64_t bit(unsigned capability)
{
	return UINT64_C(1) << capability;
}

/* Keeps of the capabilities held only those in `keep`. */
static void limit_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data) != 0)
		return;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		data[i].effective &= mask;
		data[i].permitted &= mask;
		data[i].inheritable = 0;
	}
	(void)syscall(SYS_capset, &header, data);
}

static enum fyke_status choose_target(
	const char *user, struct target *target, bool *found, struct fyke_error *error)
{
	*found = true;
	if (user != NULL) {
		if (!target_of_user(user, target))
			return fyke_error_set(
				error, FYKE_FAILED_USAGE, "--user %s: there is no such user", user);
		return FYKE_OK;
	}
	*found = target_of_sudo(target) || target_of_user("fyke", target);
	return FYKE_OK;
}

enum fyke_status fyke_privileges_drop(const char *user, const char *command, struct fyke_error *error)
{
	/* What a root that stays root needs for files of other owners; network and kernel are over. */
	const uint64_t files = bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH) | bit(CAP_FOWNER);
	struct target target = {0};
	enum fyke_status status;
	bool found;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fyke_error_set(
			error, FYKE_FAILED_PERMISSION, "no_new_privs is refused: %s", strerror(errno));
	if (geteuid() != 0) {
		limit_capabilities(0);
		return FYKE_OK;
	}
	status = choose_target(user, &target, &found, error);
	if (status != FYKE_OK)
		return status;
	if (found) {
		status = become(&target, error);
		if (status == FYKE_OK && target.uid != 0)
			limit_capabilities(0);
		return status;
	}
	limit_capabilities(files);
	if (command != NULL)
		fyke_warn(command, "stays root, there is no user to change to (start it with sudo, name one "
				   "with --user, "
				   "or create the user \"fyke\")");
	return FYKE_OK;
}

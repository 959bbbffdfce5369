/*
 * What a program took: `taken FILE PROGRAM ARGUMENT...` runs it and writes into FILE its user + system
 * seconds, wall seconds, peak memory in KiB and exit status (128 and the signal if it was killed). A program
 * of its own because Linux counts the memory of whoever starts a program to that program's peak, and an
 * interpreter is large.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double began = now();
	struct rusage usage;
	int status;
	pid_t child;
	FILE *file;

	if (argc < 3 || (child = fork()) < 0)
		return 2;
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) != child || (file = fopen(argv[1], "w")) == NULL)
		return 2;
	fprintf(file, "%.6f %.6f %ld %d\n", seconds(usage.ru_utime) + seconds(usage.ru_stime), now() - began,
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(file) == 0 ? 0 : 2;
}

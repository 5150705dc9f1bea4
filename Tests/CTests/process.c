/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "process.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/** The number of KiB that /proc/self/status gives for a key such as "VmHWM:", in bytes. */
static int64_t status_bytes(const char *key) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long long kib = -1;
  while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), "%lld", &kib);
  }
  if (file != NULL) fclose(file);
  return kib * 1024;
}

int64_t resident_bytes(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  return status_bytes("VmRSS:");
}

int64_t virtual_bytes(void) { return status_bytes("VmSize:"); }

int64_t peak_bytes(void) { return status_bytes("VmHWM:"); }

void reset_peak(void) {
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (file == NULL) return;
  fputs("5", file);
  fclose(file);
}

int64_t allocated_bytes(void) {
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
#endif
#endif
  return 0;
}

int thread_count(void) {
  DIR *directory = opendir("/proc/self/task");
  int count = 0;
  for (struct dirent *entry = NULL; directory != NULL && (entry = readdir(directory)) != NULL;) {
    count += entry->d_name[0] != '.';
  }
  if (directory != NULL) closedir(directory);
  return count;
}

bool holds_in_child(bool (*body)(void *), void *argument, unsigned seconds) {
  fflush(NULL);
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    alarm(seconds); /* a child that hangs is ended by the signal */
    const bool holds = body(argument);
    fflush(NULL);
    _exit(holds ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

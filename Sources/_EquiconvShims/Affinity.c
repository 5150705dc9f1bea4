// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "EquiconvAffinity.h"

#include <unistd.h>

#if defined(__linux__)

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

// Not in every static program.
#pragma weak dlopen
#pragma weak dlsym
#pragma weak dl_iterate_phdr

typedef equiconv_processors processors;

enum { WORDS = sizeof((processors *)0)->words / sizeof(unsigned long), WORD_BITS = 8 * sizeof(unsigned long) };

static processors of_thread(void) {
  processors set = {{0}, 0};
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof set.words, set.words);
  if (bytes > 0) set.bytes = bytes;
  return set;
}

/// Those that the loading thread might run on.
static processors at_load;

__attribute__((constructor)) static void look_at_load(void) { at_load = of_thread(); }

static int count(const processors *set) {
  int count = 0;
  for (int i = 0; i < WORDS; i++) count += __builtin_popcountl(set->words[i]);
  return count;
}

// ---- OpenMP ------------------------------------------------------------------------------------------------------
//
// Asked to bind threads, its runtime binds the thread that loads it too, to the first of its places. What the process
// may run on is then all the places together.

static bool binds_threads(void) {
  const char *bind = getenv("OMP_PROC_BIND");
  if (bind && strcmp(bind, "false") != 0 && strcmp(bind, "FALSE") != 0) return true;
  return getenv("GOMP_CPU_AFFINITY") || getenv("KMP_AFFINITY") || getenv("OMP_PLACES");
}

/// Room for the path of a library.
enum { MOST_PATH = 4096 };

static int find_runtime(struct dl_phdr_info *library, size_t size, void *found) {
  (void)size;
  const char *path = library->dlpi_name;
  const char *file = path ? strrchr(path, '/') : NULL;
  file = file ? file + 1 : path;
  if (!file || strlen(path) >= MOST_PATH) return 0;
  static const char *const names[] = {"libgomp", "libomp", "libiomp"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strncmp(file, names[i], strlen(names[i])) != 0) continue;
    strcpy(found, path);
    return 1;
  }
  return 0;
}

static void add_places(void *runtime, processors *set) {
  int (*const places)(void) = (int (*)(void))dlsym(runtime, "omp_get_num_places");
  int (*const sizes)(int) = (int (*)(int))dlsym(runtime, "omp_get_place_num_procs");
  void (*const ids)(int, int *) = (void (*)(int, int *))dlsym(runtime, "omp_get_place_proc_ids");
  if (!places || !sizes || !ids) return;
  for (int place = 0; place < places(); place++) {
    const int size = sizes(place);
    int *const list = size > 0 ? malloc((size_t)size * sizeof *list) : NULL;
    if (!list) continue;
    ids(place, list);
    for (int i = 0; i < size; i++) {
      if (list[i] >= 0 && list[i] < WORDS * WORD_BITS) {
        set->words[list[i] / WORD_BITS] |= 1ul << list[i] % WORD_BITS;
      }
    }
    free(list);
  }
}

static void add_places_of_openmp(processors *set) {
  if (!binds_threads() || !dl_iterate_phdr || !dlopen || !dlsym) return;
  char path[MOST_PATH] = "";
  if (!dl_iterate_phdr(find_runtime, path)) return;
  void *const runtime = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  if (!runtime) return;
  add_places(runtime, set);
  dlclose(runtime);
}

// ---- The process -------------------------------------------------------------------------------------------------

static processors of_process(void) {
  processors set = at_load;
  add_places_of_openmp(&set);
  return set;
}

int equiconv_processor_count(void) {
  const processors set = of_process();
  return set.bytes > 0 ? count(&set) : 0;
}

equiconv_processors equiconv_run_on_all(void) {
  const processors before = of_thread(), all = of_process();
  equiconv_run_on(&all);
  return before;
}

void equiconv_run_on(const equiconv_processors *set) {
  if (set->bytes > 0) syscall(SYS_sched_setaffinity, 0, (size_t)set->bytes, set->words);
}

#else

int equiconv_processor_count(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
equiconv_processors equiconv_run_on_all(void) { return (equiconv_processors){{0}, 0}; }
void equiconv_run_on(const equiconv_processors *set) { (void)set; }

#endif

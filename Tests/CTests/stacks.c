/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much stack calls need. musl gives threads 128 KiB, and programs with many threads less: every call works on 64 KiB, the
 * first of a process too.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "process.h"
#include "refused_calls.h"
#include "test.h"

enum { STACK = 64 << 10, MEASURED_STACK = 1 << 20, PAINT = 0x5a };

static outcome result;

static void *body(void *call) {
  result = run_call(call);
  return NULL;
}

/** Runs a call on a thread with so many bytes of stack. Returns how many of them were ever touched. */
static size_t stack_used(const refused_call *call, size_t bytes) {
  unsigned char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  if (stack == MAP_FAILED) return 0;
  memset(stack, PAINT, bytes);
  pthread_attr_init(&attributes);
  CHECK(pthread_attr_setstack(&attributes, stack, bytes) == 0);
  CHECK(pthread_create(&thread, &attributes, body, (void *)(uintptr_t)call) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  size_t untouched = 0;
  while (untouched < bytes && stack[untouched] == PAINT) untouched++;
  pthread_attr_destroy(&attributes);
  munmap(stack, bytes);
  return bytes - untouched;
}

/** The first call of a process, which does what is done once. */
static bool fits(void *call) {
  const size_t measured = stack_used(call, MEASURED_STACK);
  printf("     %s: %zu bytes of stack\n", ((const refused_call *)call)->name, measured);
  return result.status == EQUICONV_SUCCESS && measured > 0 && measured <= STACK;
}

static bool runs(void *call) { return stack_used(call, STACK) > 0 && result.status == EQUICONV_SUCCESS; }

static void every_call_works_on_64_kib_of_stack(void) {
  for (const refused_call *call = refused_calls; call->name != NULL; call++) {
    CHECK(holds_in_child(fits, (void *)(uintptr_t)call, 120));
    CHECK(holds_in_child(runs, (void *)(uintptr_t)call, 120));
  }
}

int main(void) {
  if (!make_calls_ready() || equiconv_set_num_threads(2) != EQUICONV_SUCCESS) return 1;
  RUN(every_call_works_on_64_kib_of_stack);
  return test_result();
}

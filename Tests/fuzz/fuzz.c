/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of libFuzzer: a program of at most STEPS calls. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { STEPS = 24 };

equiconv_group *groups[GROUPS];
equiconv_subgroup *subgroups[SUBGROUPS];
equiconv_basis *bases[BASES];
equiconv_group_basis *group_bases[GROUP_BASES];
layer layers[PLANS];
equiconv_weight *weights[WEIGHTS];
equiconv_call fuzz_call;

_Noreturn void law_broken(const char *law, const char *file, int line) {
  fprintf(stderr, "%s:%d: broken: %s\nlast message: %s\n", file, line, law, equiconv_last_error_message());
  abort();
}

/* ---- Calls ---- */

/** Asks left until the call is cancelled; below 0: never. */
static int64_t asks_left;

static int32_t is_cancelled(void *context) {
  LAW(context == &asks_left);
  if (asks_left > 0) asks_left -= 1;
  return asks_left == 0;
}

bool call_begin(void) {
  if (!seldom(3)) return false;
  equiconv_call_init(&fuzz_call);
  asks_left = -1;
  if (seldom(2)) {
    asks_left = between(1, 4);
    fuzz_call.is_cancelled = is_cancelled;
    fuzz_call.context = &asks_left;
  }
  return true;
}

equiconv_status call_end(equiconv_status status, bool has_call) {
  LAW(strcmp(equiconv_status_name((int32_t)status), "unknown status") != 0);
  if (status != EQUICONV_SUCCESS) LAW(strlen(equiconv_last_error_message()) > 10);
  if (!has_call) {
    LAW(status != EQUICONV_ERROR_CANCELLED);
    return status;
  }
  LAW(fuzz_call.status == status);
  LAW(status != EQUICONV_ERROR_CANCELLED || asks_left == 0);
  if (status == EQUICONV_SUCCESS) {
    LAW(fuzz_call.message[0] == '\0');
  } else {
    LAW(strncmp(fuzz_call.message, equiconv_last_error_message(), EQUICONV_MESSAGE_SIZE / 2) == 0);
  }
  return status;
}

/* ---- Programs ---- */

const equiconv_group *group_choose(void) {
  int64_t place = between(0, GROUPS - 1);
  for (int tries = seldom(32) ? GROUPS : 0; tries < GROUPS && groups[place] == NULL; tries++)
    place = (place + 1) % GROUPS;
  return groups[place];
}

const layer *layer_choose(void) {
  int64_t place = between(0, PLANS - 1);
  for (int tries = 0; tries < PLANS && layers[place].plan == NULL; tries++) place = (place + 1) % PLANS;
  return &layers[place];
}

void runtime_set(void) {
  const int32_t threads = equiconv_get_num_threads();
  const int32_t count = kind_between(1, 4);
  if (count > 8 && count <= 1024) return; /* valid, and only slow */
  if (CALL(equiconv_set_num_threads, count) == EQUICONV_SUCCESS) {
    LAW(equiconv_get_num_threads() == count);
  } else {
    LAW(equiconv_get_num_threads() == threads);
  }
  const int64_t limit = equiconv_workspace_limit(), bytes = size_between(1 << 20, 1 << 24);
  const equiconv_status status = CALL(equiconv_set_workspace_limit, bytes);
  LAW(equiconv_workspace_limit() == (status == EQUICONV_SUCCESS ? bytes : limit));
}

void everything_end(void) {
  for (int i = 0; i < GROUPS; i++, groups[i - 1] = NULL) equiconv_group_destroy(groups[i]);
  for (int i = 0; i < SUBGROUPS; i++, subgroups[i - 1] = NULL) equiconv_subgroup_destroy(subgroups[i]);
  for (int i = 0; i < BASES; i++, bases[i - 1] = NULL) equiconv_basis_destroy(bases[i]);
  for (int i = 0; i < GROUP_BASES; i++, group_bases[i - 1] = NULL) equiconv_group_basis_destroy(group_bases[i]);
  for (int i = 0; i < PLANS; i++, layers[i - 1].plan = NULL) equiconv_plan_destroy(layers[i].plan);
  for (int i = 0; i < WEIGHTS; i++, weights[i - 1] = NULL) equiconv_weight_destroy(weights[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* Those that others need come often. */
  static void (*const steps[])(void) = {
      layer_create, layer_run, layer_run,         group_create, layer_call, layer_create, basis_create, signal_act,
      signal_pool,  layer_ask, layer_run_wrongly, group_ask,    basis_ask,  network_ask,  runtime_set,  text_ask};
  bytes_begin(data, size);
  group_create();
  layer_create();
  for (int step = 0; step < STEPS && bytes_left(); step++) steps[between(0, sizeof steps / sizeof *steps - 1)]();
  everything_end();
  equiconv_set_num_threads(2);
  equiconv_set_workspace_limit(1 << 26);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wrong.h"

#include <stdio.h>
#include <string.h>

wrong_outputs out;
static wrong_outputs untouched;
static bool provoked[1000];
static int wrong_call_count;

void wrong_reset(void) {
  memset(&untouched, 0x5a, sizeof untouched);
  untouched.explanation.struct_size = sizeof untouched.explanation;
  untouched.explanation.prepared = 0;
  memcpy(&out, &untouched, sizeof out);
}

void wrong_check(int32_t status, int32_t expected, const char *text, const char *call, const char *file, int line) {
  wrong_call_count += 1;
  if (status >= 0 && status < 1000) provoked[status] = true;
  test_status(status, expected, call, file, line);
  const char *message = equiconv_last_error_message();
  const bool named = strstr(message, text) != NULL && strstr(message, "expected") != NULL;
  if (!named) printf("  message: \"%s\", to contain \"%s\"\n", message, text);
  test_check(named, call, file, line);
  test_check(memcmp(&out, &untouched, sizeof out) == 0, "nothing was written", file, line);
}

static void at_least_sixty_wrong_calls(void) { CHECK(wrong_call_count >= 60); }

/* The statuses are those that have a name. Calls that are cancelled are right ones: cancel.c. */
static void every_status_was_provoked(void) {
  provoked[EQUICONV_SUCCESS] = provoked[EQUICONV_ERROR_CANCELLED] = true;
  int statuses = 0;
  for (int32_t status = 0; status < 1000; status++) {
    if (strcmp(equiconv_status_name(status), "unknown status") == 0) continue;
    statuses += 1;
    if (!provoked[status]) printf("  never provoked: %s\n", equiconv_status_name(status));
    CHECK(provoked[status]);
  }
  CHECK(statuses == 40);
}

/* A call that succeeds leaves the last message alone. */
static void message_stays_until_the_next_failure(void) {
  CHECK(equiconv_group_create_cyclic(-77, &out.group) == EQUICONV_ERROR_INVALID_ORDER);
  equiconv_group *group = make_group(GROUP_C4);
  CHECK(strstr(equiconv_last_error_message(), "-77") != NULL);
  equiconv_group_destroy(group);
}

int main(void) {
  wrong_reset();
  RUN(wrong_group_calls);
  RUN(wrong_descriptors);
  RUN(wrong_bases);
  RUN(wrong_arrays);
  RUN(wrong_queries);
  RUN(wrong_choices);
  RUN(wrong_actions_and_pools);
  RUN(wrong_networks);
  RUN(at_least_sixty_wrong_calls);
  RUN(every_status_was_provoked);
  RUN(message_stays_until_the_next_failure);
  printf("     %d wrong calls\n", wrong_call_count);
  return test_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The action of H on signals, and pooling over H. */
#include <math.h>

#include "fuzz.h"

/** Acting by an element and by its inverse gives back every bit. */
static void act_back(const equiconv_group *group, int64_t element, int32_t dtype, int32_t signal, int64_t batch,
                     int64_t channels, const int64_t sizes[3], const array *input, const array *output) {
  int32_t inverses[64], fixed = equiconv_group_order(group) <= 64;
  if (!fixed || equiconv_group_get_inverses(group, inverses) != EQUICONV_SUCCESS || inverses[element] < 0) return;
  const int32_t d = equiconv_group_dimension(group);
  for (int32_t axis = 1; axis < d; axis++) {
    if (sizes[axis] != sizes[0]) return; /* whose axes may have been exchanged */
  }
  array back = array_make(input->bytes, dtype_bytes(dtype));
  const equiconv_status status = CALL(equiconv_act, group, inverses[element], dtype, signal, batch, channels, sizes,
                                      output->numbers, back.numbers);
  if (status == EQUICONV_SUCCESS) LAW(memcmp(back.numbers, input->numbers, input->bytes) == 0);
  array_end(&back);
}

void signal_act(void) {
  const equiconv_group *group = group_choose();
  const int32_t d = equiconv_group_dimension(group), dtype = (int32_t)between(0, 1), signal = (int32_t)between(0, 1);
  const int64_t order = equiconv_group_order(group), batch = between(0, 2), channels = between(1, 3);
  if (group == NULL || order > 128) return;
  /* Arrays for the whole group are large enough for its quotients. */
  const equiconv_subgroup *stabilizer = seldom(3) ? subgroup_choose(group, 0) : NULL;
  int64_t sizes[3] = {1, 1, 1};
  int64_t numbers = batch * channels * (signal == EQUICONV_SIGNAL_GROUP || stabilizer != NULL ? order : 1);
  const int64_t side = between(1, 6);
  for (int32_t axis = 0; axis < d; axis++) {
    sizes[axis] = seldom(4) ? between(1, 6) : side;
    numbers *= sizes[axis];
  }
  array input = array_of_numbers(dtype, numbers, seldom(4)), output = array_make(input.bytes, dtype_bytes(dtype));
  const int64_t element = size_between(0, order - 1);
  int64_t given[3];
  memcpy(given, sizes, sizeof given);
  if (seldom(24)) given[between(0, 2)] = wild(), numbers = -1;
  /* Sizes that are valid and not those of the arrays would be believed. */
  if (numbers >= 0 || given[0] < 1 || (d > 1 && given[1] < 1) || (d > 2 && given[2] < 1)) {
    void *to = seldom(32) ? input.numbers : output.numbers;
    const equiconv_status status =
        stabilizer != NULL
            ? CALL(equiconv_act_on, group, element, dtype, stabilizer, batch, channels, given, input.numbers, to)
            : CALL(equiconv_act, group, element, dtype, signal, batch, channels, given, input.numbers, to);
    if (status != EQUICONV_SUCCESS) LAW(status == EQUICONV_ERROR_CANCELLED || array_is_untouched(&output));
    if (status == EQUICONV_SUCCESS && stabilizer == NULL && !array_is_untouched(&output)) {
      act_back(group, element, dtype, signal, batch, channels, sizes, &input, &output);
    }
  }
  array_end(&output);
  array_end(&input);
}

void signal_pool(void) {
  const int32_t dtype = (int32_t)between(0, 1), mode = kind_between(0, 1);
  const int64_t outer = between(0, 4), order = between(1, 12), inner = between(0, 20);
  const bool special = seldom(4);
  array input = array_of_numbers(dtype, outer * order * inner, special),
        given = array_of_numbers(dtype, outer * inner, special);
  array output = array_make(given.bytes, dtype_bytes(dtype)), gradient = array_make(input.bytes, dtype_bytes(dtype));
  const equiconv_status status =
      CALL(equiconv_group_pool, dtype, mode, outer, order, inner, input.numbers, output.numbers);
  if (status == EQUICONV_SUCCESS) {
    for (int64_t i = 0; !special && i < outer * inner; i++) LAW(fabs(number_at(&output, dtype, i)) <= 1);
  } else {
    LAW(status == EQUICONV_ERROR_CANCELLED || array_is_untouched(&output));
  }
  const bool without = mode == EQUICONV_POOL_MEAN && seldom(2);
  const equiconv_status of_gradient = CALL(equiconv_group_pool_vjp, dtype, mode, outer, order, inner, given.numbers,
                                           without ? NULL : input.numbers, gradient.numbers);
  if (of_gradient != EQUICONV_SUCCESS) LAW(of_gradient == EQUICONV_ERROR_CANCELLED || array_is_untouched(&gradient));
  array_end(&gradient);
  array_end(&output);
  array_end(&given);
  array_end(&input);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers published with GrouPy: x = arange(25) as 5 x 5, w = arange(9) as 3 x 3, valid convolution, no bias. */
#include <string.h>

#include "test.h"

static void arange(int32_t dtype, void *array, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (dtype == EQUICONV_FLOAT32) {
      ((float *)array)[i] = (float)i;
    } else {
      ((double *)array)[i] = (double)i;
    }
  }
}

/** Lifting of the 5 x 5 image in `layer`, whose input and weight are replaced by the published ones. */
static test_layer lift(const equiconv_group *group, int32_t dtype, int64_t turns) {
  test_random random = {21};
  const equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, dtype, 1, 1, 5, 3);
  test_layer layer = layer_make(&d, 1, &random);
  double image[25];
  const int64_t spatial[2] = {5, 5};
  arange(dtype, image, 25);
  arange(dtype, layer.weight, 9);
  CHECK_SUCCESS(equiconv_act(group, turns, dtype, EQUICONV_SIGNAL_PLANE, 1, 1, spatial, image, layer.input));
  CHECK_SUCCESS(equiconv_plan_forward(layer.plan, 1, layer.input, layer.weight, NULL, layer.output));
  return layer;
}

static void c4_lifting(void) {
  static const double rows[4][3] = {{312, 348, 384}, {204, 240, 276}, {120, 156, 192}, {228, 264, 300}};
  equiconv_group *group = make_group(GROUP_C4);
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    test_layer layer = lift(group, dtype, 0);
    for (int r = 0; r < 4; r++) {
      for (int column = 0; column < 3; column++) {
        CHECK(element(layer.output, dtype, r * 9 + column) == rows[r][column]);
      }
    }
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

static void c4_group_convolution_of_the_lifted_image(void) {
  static const double values[4] = {272376, 287928, 271944, 256392};
  equiconv_group *group = make_group(GROUP_C4);
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    for (int turns = 0; turns < 2; turns++) {
      test_layer first = lift(group, dtype, turns);
      test_random random = {22};
      const equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, dtype, 1, 1, 3, 3);
      test_layer second = layer_make(&d, 1, &random);
      arange(dtype, second.weight, 36);
      CHECK_SUCCESS(equiconv_plan_forward(second.plan, 1, first.output, second.weight, NULL, second.output));
      for (int r = 0; r < 4; r++) CHECK(element(second.output, dtype, r) == values[(r - turns + 4) % 4]);
      layer_free(&second);
      layer_free(&first);
    }
  }
  equiconv_group_destroy(group);
}

static void d4_lifting_center_pixel(void) {
  static const double values[8] = {528, 420, 336, 444, 516, 480, 348, 384};
  equiconv_group *group = make_group(GROUP_D4);
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    test_layer layer = lift(group, dtype, 0);
    for (int h = 0; h < 8; h++) CHECK(element(layer.output, dtype, h * 9 + 4) == values[h]);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

int main(void) {
  RUN(c4_lifting);
  RUN(c4_group_convolution_of_the_lifted_image);
  RUN(d4_lifting_center_pixel);
  return test_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Checks ---- */

enum { FAILURES_SHOWN = 10 };
static long checks, failures, failed_tests;

void test_check(bool holds, const char *what, const char *file, int line) {
  checks += 1;
  if (holds) return;
  failures += 1;
  if (failures <= FAILURES_SHOWN) printf("  %s:%d: not so: %s\n", file, line, what);
}

void test_status(int32_t status, int32_t expected, const char *call, const char *file, int line) {
  checks += 1;
  if (status == expected) return;
  failures += 1;
  if (failures > FAILURES_SHOWN) return;
  printf("  %s:%d: %s: %s, expected %s; last message: %s\n", file, line, call, equiconv_status_name(status),
         equiconv_status_name(expected), equiconv_last_error_message());
}

void test_run(const char *name, void (*test)(void)) {
  checks = failures = 0;
  test();
  const bool passed = failures == 0 && checks > 0;
  if (passed) {
    printf("ok   %s (%ld checks)\n", name, checks);
  } else {
    printf("FAIL %s (%ld of %ld checks)\n", name, failures, checks);
    failed_tests += 1;
  }
  fflush(stdout);
}

int test_result(void) { return failed_tests == 0 ? EXIT_SUCCESS : EXIT_FAILURE; }

/* ---- Random numbers ---- */

uint64_t random_bits(test_random *random) {
  uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t random_between(test_random *random, int64_t low, int64_t high) {
  return low + (int64_t)(random_bits(random) % (uint64_t)(high - low + 1));
}

void random_fill(test_random *random, int32_t dtype, void *array, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const double value = (double)(int64_t)random_bits(random) / 9223372036854775808.0;
    if (dtype == EQUICONV_FLOAT32) {
      ((float *)array)[i] = (float)value;
    } else {
      ((double *)array)[i] = value;
    }
  }
}

/* ---- Guarded arrays: [size, guard bytes] array [guard bytes] ---- */

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

void *guarded_alloc(size_t bytes) {
  unsigned char *block = malloc(bytes + 2 * GUARD);
  if (block == NULL) abort();
  memset(block, GUARD_BYTE, bytes + 2 * GUARD);
  memcpy(block, &bytes, sizeof bytes);
  return block + GUARD;
}

bool guards_intact(const void *array) {
  const unsigned char *start = array;
  size_t bytes;
  memcpy(&bytes, start - GUARD, sizeof bytes);
  bool intact = true;
  for (size_t i = sizeof bytes; i < GUARD; i++) intact = intact && start[(ptrdiff_t)i - GUARD] == GUARD_BYTE;
  for (size_t i = 0; i < GUARD; i++) intact = intact && start[bytes + i] == GUARD_BYTE;
  return intact;
}

void guarded_free(void *array) {
  if (array != NULL) free((unsigned char *)array - GUARD);
}

size_t dtype_size(int32_t dtype) { return dtype == EQUICONV_FLOAT32 ? sizeof(float) : sizeof(double); }

double element(const void *array, int32_t dtype, int64_t index) {
  return dtype == EQUICONV_FLOAT32 ? (double)((const float *)array)[index] : ((const double *)array)[index];
}

/* ---- Groups and descriptors ---- */

static equiconv_status make_other_group(int number, equiconv_group **group) {
  static const double doubled[2] = {1, 2}, three[3] = {1, 1.4, 0.7}, larger[2] = {1, 1.5};
  switch (number) {
  case GROUP_C3: return equiconv_group_create_cyclic(3, group);
  case GROUP_C8: return equiconv_group_create_cyclic(8, group);
  case GROUP_D6: return equiconv_group_create_dihedral(6, group);
  case GROUP_SCALING1: return equiconv_group_create_scaling(1, 2, doubled, group);
  case GROUP_SCALING2: return equiconv_group_create_scaling(2, 3, three, group);
  case GROUP_SIMILARITY: return equiconv_group_create_similarity(4, 2, larger, group);
  case GROUP_AXIAL: return equiconv_group_create_axial_cyclic(8, EQUICONV_AXIS_Z, group);
  default: return equiconv_group_create_icosahedral(group);
  }
}

equiconv_group *make_group(int number) {
  equiconv_group *group = NULL;
  equiconv_status status = EQUICONV_SUCCESS;
  switch (number) {
  case 0: status = equiconv_group_create_trivial(1, &group); break;
  case 1: status = equiconv_group_create_trivial(2, &group); break;
  case 2: status = equiconv_group_create_trivial(3, &group); break;
  case 3: status = equiconv_group_create_reflection(&group); break;
  case 4: status = equiconv_group_create_cyclic(2, &group); break;
  case 5: status = equiconv_group_create_cyclic(4, &group); break;
  case 6: status = equiconv_group_create_dihedral(1, &group); break;
  case 7: status = equiconv_group_create_dihedral(2, &group); break;
  case 8: status = equiconv_group_create_dihedral(4, &group); break;
  case 9: status = equiconv_group_create_octahedral(&group); break;
  case 10: status = equiconv_group_create_full_octahedral(&group); break;
  case 11: status = equiconv_group_create_tetrahedral(&group); break;
  case 12: status = equiconv_group_create_pyritohedral(&group); break;
  case 13: status = equiconv_group_create_axial_cyclic(4, EQUICONV_AXIS_X, &group); break;
  case 14: status = equiconv_group_create_axial_dihedral(2, EQUICONV_AXIS_Y, &group); break;
  default: status = make_other_group(number, &group); break;
  }
  CHECK_SUCCESS(status);
  return group;
}

equiconv_subgroup *make_subgroup(const equiconv_group *group, int64_t count, const int32_t *elements) {
  equiconv_subgroup *subgroup = NULL;
  CHECK_SUCCESS(equiconv_subgroup_create(group, count, elements, &subgroup));
  return subgroup;
}

bool is_lattice_element(const equiconv_group *group, int64_t element) {
  const int32_t d = equiconv_group_dimension(group);
  double *matrices = malloc((size_t)equiconv_group_order(group) * 9 * sizeof(double));
  if (matrices == NULL) abort();
  CHECK_SUCCESS(equiconv_group_get_matrices(group, matrices));
  int32_t units = 0, zeros = 0;
  for (int32_t i = 0; i < d * d; i++) {
    const double entry = matrices[element * d * d + i];
    units += entry == 1 || entry == -1;
    zeros += entry == 0;
  }
  free(matrices);
  /* With an inverse it has an entry in each row and column. */
  return units == d && zeros == d * d - d;
}

equiconv_basis *make_basis(int number, int32_t dimension, int64_t extent) {
  static const double centers[6] = {0, 0.5, -0.25, 1, 0.75, -1};
  const int64_t extents[3] = {extent, extent, extent};
  equiconv_basis *basis = NULL;
  equiconv_status status = EQUICONV_SUCCESS;
  switch (number) {
  case 0: break;
  case 1: status = equiconv_basis_create_pixel(dimension, extents, EQUICONV_INTERPOLATION_BSPLINE3, &basis); break;
  case 2: status = equiconv_basis_create_bspline(dimension, extents, 3, 1.5, &basis); break;
  case 3: status = equiconv_basis_create_atrous_bspline(dimension, extents, 2, 1.25, &basis); break;
  case 4: status = equiconv_basis_create_round_bspline(dimension, extents, 1, EQUICONV_RADIUS_DEFAULT, &basis); break;
  case 5: status = equiconv_basis_create_bspline_at(dimension, extents, 3, 1, 6 / dimension, centers, &basis); break;
  case 6: status = equiconv_basis_create_gaussian_derivatives(dimension, extents, 2, 0.8, &basis); break;
  default: status = equiconv_basis_create_circular_harmonics(extent, INT32_MAX, &basis); break;
  }
  CHECK_SUCCESS(status);
  return basis;
}

equiconv_descriptor make_descriptor(const equiconv_group *group, int32_t layer, int32_t dtype, int64_t channels_in,
                                    int64_t channels_out, int64_t spatial, int64_t kernel) {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  descriptor.group = group;
  descriptor.layer = layer;
  descriptor.dtype = dtype;
  descriptor.algorithm = EQUICONV_ALGORITHM_DIRECT;
  descriptor.dimension = equiconv_group_dimension(group);
  descriptor.in_channels = channels_in;
  descriptor.out_channels = channels_out;
  for (int32_t axis = 0; axis < descriptor.dimension; axis++) {
    descriptor.spatial[axis] = spatial;
    descriptor.kernel[axis] = kernel;
  }
  return descriptor;
}

/* ---- Layers ---- */

int64_t shape_count(const int64_t *shape) {
  int64_t count = 1;
  for (int axis = 0; axis < EQUICONV_MAX_RANK; axis++) count *= shape[axis];
  return count;
}

static void *random_array(test_random *random, int32_t dtype, int64_t count) {
  void *array = guarded_alloc((size_t)count * dtype_size(dtype));
  random_fill(random, dtype, array, count);
  return array;
}

test_layer layer_make(const equiconv_descriptor *descriptor, int64_t batch, test_random *random) {
  test_layer layer = {NULL, descriptor->dtype, batch, 0, 0, 0, 0, NULL, NULL, NULL, NULL};
  CHECK_SUCCESS(equiconv_plan_create(descriptor, &layer.plan));
  if (layer.plan == NULL) return layer;
  int64_t shape[EQUICONV_MAX_RANK] = {0};
  int32_t rank = 0;
  CHECK_SUCCESS(equiconv_plan_get_input_shape(layer.plan, batch, shape, &rank));
  layer.inputs = shape_count(shape);
  CHECK_SUCCESS(equiconv_plan_get_output_shape(layer.plan, batch, shape, &rank));
  layer.outputs = shape_count(shape);
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(layer.plan, shape, &rank));
  layer.weights = shape_count(shape);
  layer.biases = descriptor->out_channels;
  layer.input = random_array(random, layer.dtype, layer.inputs);
  layer.weight = random_array(random, layer.dtype, layer.weights);
  layer.bias = random_array(random, layer.dtype, layer.biases);
  layer.output = random_array(random, layer.dtype, layer.outputs);
  return layer;
}

void layer_forward(const test_layer *layer) {
  CHECK_SUCCESS(
      equiconv_plan_forward(layer->plan, layer->batch, layer->input, layer->weight, layer->bias, layer->output));
}

void layer_free(test_layer *layer) {
  void *arrays[] = {layer->input, layer->weight, layer->bias, layer->output};
  for (int i = 0; i < 4; i++) {
    if (arrays[i] != NULL) CHECK(guards_intact(arrays[i]));
    guarded_free(arrays[i]);
  }
  equiconv_plan_destroy(layer->plan);
  *layer = (test_layer){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* layer(L_g f) and L_g layer(f) have the same bits, for every element g, on random numbers. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

static int32_t input_signal(int32_t layer) {
  return layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_PROJECTION ? EQUICONV_SIGNAL_GROUP
                                                                             : EQUICONV_SIGNAL_PLANE;
}

static int32_t output_signal(int32_t layer) {
  return layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_LIFTING ? EQUICONV_SIGNAL_GROUP
                                                                          : EQUICONV_SIGNAL_PLANE;
}

/** L_g of an input or output of the layer, with `channels`, whose sizes are `spatial`. */
static void turn(const equiconv_descriptor *d, bool is_input, int64_t g, int64_t batch, int64_t channels,
                 const int64_t *spatial, const void *signal, void *turned) {
  if (d->layer == EQUICONV_LAYER_GENERAL) {
    CHECK_SUCCESS(equiconv_act_on(d->group, g, d->dtype, is_input ? d->input_stabilizer : d->output_stabilizer, batch,
                                  channels, spatial, signal, turned));
  } else {
    CHECK_SUCCESS(equiconv_act(d->group, g, d->dtype, is_input ? input_signal(d->layer) : output_signal(d->layer),
                               batch, channels, spatial, signal, turned));
  }
}

/** Sizes of L_g f for an f of the sizes `spatial`: where g exchanges coordinates, the axes are exchanged. */
static void turned_sizes(const equiconv_group *group, int64_t g, const int64_t *spatial, int64_t *turned) {
  const int d = equiconv_group_dimension(group);
  double *matrices = malloc((size_t)equiconv_group_order(group) * 9 * sizeof(double));
  CHECK_SUCCESS(equiconv_group_get_matrices(group, matrices));
  for (int i = 0; i < d; i++) {
    for (int j = 0; j < d; j++) {
      /* Coordinate i is array axis d - 1 - i. */
      if (matrices[g * d * d + i * d + j] != 0) turned[d - 1 - i] = spatial[d - 1 - j];
    }
  }
  free(matrices);
}

static void output_sizes(const test_layer *layer, int dimension, int64_t *sizes) {
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  CHECK_SUCCESS(equiconv_plan_get_output_shape(layer->plan, layer->batch, shape, &rank));
  for (int axis = 0; axis < dimension; axis++) sizes[axis] = shape[rank - dimension + axis];
}

/** layer(L_g f) against L_g layer(f), where `straight` holds f and layer(f). */
static void check_element(const equiconv_descriptor *descriptor, const test_layer *straight, int64_t g) {
  equiconv_descriptor d = *descriptor;
  turned_sizes(d.group, g, descriptor->spatial, d.spatial);
  test_random random = {32};
  test_layer turned = layer_make(&d, straight->batch, &random);
  if (turned.plan == NULL) return;
  turn(&d, true, g, turned.batch, d.in_channels, descriptor->spatial, straight->input, turned.input);
  CHECK_SUCCESS(
      equiconv_plan_forward(turned.plan, turned.batch, turned.input, straight->weight, straight->bias, turned.output));
  int64_t sizes[3];
  output_sizes(straight, d.dimension, sizes);
  const size_t bytes = (size_t)straight->outputs * dtype_size(d.dtype);
  void *expected = guarded_alloc(bytes);
  turn(&d, false, g, turned.batch, d.out_channels, sizes, straight->output, expected);
  CHECK(turned.outputs == straight->outputs && memcmp(turned.output, expected, bytes) == 0);
  guarded_free(expected);
  layer_free(&turned);
}

static void check_all_elements(const equiconv_descriptor *descriptor, uint64_t seed) {
  test_random random = {seed};
  test_layer straight = layer_make(descriptor, 2, &random);
  if (straight.plan == NULL) return;
  for (int32_t axis = 0; axis < descriptor->dimension; axis++) {
    int64_t remainder = -1;
    CHECK_SUCCESS(equiconv_plan_get_stride_remainder(straight.plan, axis, &remainder));
    CHECK(remainder == 0);
  }
  layer_forward(&straight);
  for (int64_t g = 0; g < equiconv_group_order(descriptor->group); g++) {
    if (is_lattice_element(descriptor->group, g)) check_element(descriptor, &straight, g);
  }
  layer_free(&straight);
}

typedef struct geometry {
  int64_t spatial, longer, kernel, stride, padding, dilation;
  int32_t mode;
} geometry;

/* spatial and longer are the shorter and the longer axis; both leave no stride remainder. */
static const geometry geometries[] = {
    {7, 9, 3, 1, 0, 1, EQUICONV_PADDING_ZEROS},     {6, 7, 3, 1, EQUICONV_PADDING_SAME, 1, EQUICONV_PADDING_CIRCULAR},
    {7, 9, 3, 2, 1, 1, EQUICONV_PADDING_ZEROS},     {7, 8, 2, 1, 1, 2, EQUICONV_PADDING_ZEROS},
    {8, 11, 4, 3, 1, 1, EQUICONV_PADDING_CIRCULAR}, {1, 3, 1, 1, 0, 1, EQUICONV_PADDING_ZEROS},
    {5, 8, 3, 1, 2, 1, EQUICONV_PADDING_REFLECT},   {7, 9, 3, 2, 1, 1, EQUICONV_PADDING_REPLICATE},
};

/** All layers, scalar types and geometries of one group. */
static void check_group(int number, int64_t channels) {
  equiconv_group *group = make_group(number);
  const int32_t dimension = equiconv_group_dimension(group);
  for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++) {
    const geometry *shape = &geometries[i];
    for (int32_t layer = 0; layer < 4; layer++) {
      for (int32_t dtype = 0; dtype < 2; dtype++) {
        equiconv_descriptor d =
            make_descriptor(group, layer, dtype, channels, channels + 1, shape->spatial, shape->kernel);
        d.spatial[dimension - 1] = shape->longer;
        d.padding_mode = shape->mode;
        for (int axis = 0; axis < dimension; axis++) {
          d.stride[axis] = shape->stride;
          d.padding[axis] = shape->padding;
          d.dilation[axis] = shape->dilation;
        }
        check_all_elements(&d, 31 + i);
      }
    }
  }
  equiconv_group_destroy(group);
}

static void reflection(void) { check_group(GROUP_REFLECTION, 3); }
static void c2(void) { check_group(4, 3); }
static void c4(void) { check_group(GROUP_C4, 3); }
static void d1(void) { check_group(6, 3); }
static void d2(void) { check_group(7, 3); }
static void d4(void) { check_group(GROUP_D4, 2); }
static void octahedral(void) { check_group(GROUP_OCTAHEDRAL, 1); }

/* The elements of other groups that map the grid to itself: quarter turns of C8, a half turn and mirrors of D6, ... */
static void lattice_elements_of_c8(void) { check_group(GROUP_C8, 2); }
static void lattice_elements_of_d6(void) { check_group(GROUP_D6, 1); }
static void lattice_elements_of_similarities(void) { check_group(GROUP_SIMILARITY, 2); }
static void lattice_elements_of_c8_about_z(void) { check_group(GROUP_AXIAL, 1); }

static void every_basis(void) {
  static const int groups[] = {GROUP_C8, GROUP_D4, GROUP_SIMILARITY};
  for (int i = 0; i < 3; i++) {
    equiconv_group *group = make_group(groups[i]);
    for (int number = 0; number <= TEST_BASES; number++) {
      equiconv_basis *basis = make_basis(number, 2, 5);
      for (int32_t layer = 0; layer < 4; layer++) {
        equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, 2, 3, 7, 5);
        d.spatial[1] = 8;
        d.basis = basis;
        d.interpolation = EQUICONV_INTERPOLATION_BICUBIC;
        check_all_elements(&d, 44);
      }
      equiconv_basis_destroy(basis);
    }
    equiconv_group_destroy(group);
  }
}

/* Between all pairs of subgroups of D4 and of C8 (as stabilizers; whole: the plane). */
static void every_pair_of_quotients(void) {
  static const int32_t d4[][8] = {{0}, {0, 2}, {4, 0}, {5, 0}, {0, 1, 2, 3}, {0, 2, 4, 6}, {7, 6, 5, 4, 3, 2, 1, 0}};
  static const int64_t d4_counts[] = {1, 2, 2, 2, 4, 4, 8};
  static const int32_t c8[][8] = {{0}, {0, 4}, {6, 4, 2, 0}, {0, 1, 2, 3, 4, 5, 6, 7}};
  static const int64_t c8_counts[] = {1, 2, 4, 8};
  for (int i = 0; i < 2; i++) {
    equiconv_group *group = make_group(i == 0 ? GROUP_D4 : GROUP_C8);
    const int count = i == 0 ? 7 : 4;
    equiconv_subgroup *subgroups[7];
    for (int k = 0; k < count; k++) {
      subgroups[k] = make_subgroup(group, i == 0 ? d4_counts[k] : c8_counts[k], i == 0 ? d4[k] : c8[k]);
    }
    for (int pair = 0; pair < count * count; pair++) {
      equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GENERAL, EQUICONV_FLOAT32, 2, 3, 6, 3);
      d.spatial[1] = 7;
      d.input_stabilizer = subgroups[pair / count];
      d.output_stabilizer = subgroups[pair % count];
      check_all_elements(&d, 45);
    }
    for (int k = 0; k < count; k++) equiconv_subgroup_destroy(subgroups[k]);
    equiconv_group_destroy(group);
  }
}

static void full_octahedral(void) {
  equiconv_group *group = make_group(GROUP_FULL);
  for (int32_t layer = 0; layer < 4; layer++) {
    equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, 1, 1, 4, 3);
    d.spatial[1] = 5;
    check_all_elements(&d, 41);
  }
  equiconv_group_destroy(group);
}

/* Blocks of many vectors, many channels, several threads. */
static void c4_of_a_large_layer(void) {
  equiconv_group *group = make_group(GROUP_C4);
  for (int32_t layer = 0; layer < 4; layer++) {
    equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, 17, 19, 61, 5);
    d.spatial[1] = 67;
    d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
    check_all_elements(&d, 42);
  }
  equiconv_group_destroy(group);
}

/** L_a L_b f = L_ab f for all a, b; `f` has 2 channels of the sizes `spatial`. */
static void check_homomorphism(const equiconv_group *group, int32_t signal, const int32_t *cayley) {
  static const int64_t spatial[3] = {2, 3, 4};
  test_random random = {43};
  const int64_t order = equiconv_group_order(group);
  int64_t count = 2 * (signal == EQUICONV_SIGNAL_GROUP ? order : 1);
  for (int axis = 0; axis < equiconv_group_dimension(group); axis++) count *= spatial[axis];
  const size_t bytes = (size_t)count * sizeof(double);
  double *f = guarded_alloc(bytes), *once = guarded_alloc(bytes), *twice = guarded_alloc(bytes);
  double *product = guarded_alloc(bytes);
  random_fill(&random, EQUICONV_FLOAT64, f, count);
  for (int64_t a = 0; a < order; a++) {
    for (int64_t b = 0; b < order; b++) {
      const int64_t ab = cayley[a * order + b];
      int64_t turned[3] = {0, 0, 0};
      turned_sizes(group, b, spatial, turned);
      CHECK_SUCCESS(equiconv_act(group, b, EQUICONV_FLOAT64, signal, 1, 2, spatial, f, once));
      CHECK_SUCCESS(equiconv_act(group, a, EQUICONV_FLOAT64, signal, 1, 2, turned, once, twice));
      CHECK_SUCCESS(equiconv_act(group, ab, EQUICONV_FLOAT64, signal, 1, 2, spatial, f, product));
      CHECK(memcmp(twice, product, bytes) == 0);
    }
  }
  double *const arrays[] = {f, once, twice, product};
  for (int i = 0; i < 4; i++) {
    CHECK(guards_intact(arrays[i]));
    guarded_free(arrays[i]);
  }
}

static void action_is_a_homomorphism(void) {
  for (int number = 0; number < TEST_GROUPS; number++) {
    equiconv_group *group = make_group(number);
    const int64_t order = equiconv_group_order(group);
    int32_t *cayley = malloc((size_t)(order * order) * sizeof(int32_t));
    CHECK_SUCCESS(equiconv_group_get_cayley(group, cayley));
    for (int32_t signal = 0; signal < 2; signal++) check_homomorphism(group, signal, cayley);
    free(cayley);
    equiconv_group_destroy(group);
  }
}

/* pool(L_g f) = L_g pool(f): the fiber is permuted, the plane is turned. */
static void pooling_commutes_with_the_action(void) {
  enum { OUTER = 3, ROWS = 4, COLUMNS = 5, INNER = ROWS * COLUMNS, ORDER = 8 };
  static const int64_t spatial[2] = {ROWS, COLUMNS};
  test_random random = {44};
  equiconv_group *group = make_group(GROUP_D4);
  float f[OUTER * ORDER * INNER], turned[OUTER * ORDER * INNER];
  float pooled[OUTER * INNER], left[OUTER * INNER], right[OUTER * INNER];
  random_fill(&random, EQUICONV_FLOAT32, f, OUTER * ORDER * INNER);
  for (int32_t mode = 0; mode < 2; mode++) {
    CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT32, mode, OUTER, ORDER, INNER, f, pooled));
    for (int64_t g = 0; g < ORDER; g++) {
      CHECK_SUCCESS(equiconv_act(group, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 1, OUTER, spatial, f, turned));
      CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT32, mode, OUTER, ORDER, INNER, turned, left));
      CHECK_SUCCESS(equiconv_act(group, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, OUTER, spatial, pooled, right));
      CHECK(memcmp(left, right, sizeof left) == 0);
    }
  }
  equiconv_group_destroy(group);
}

int main(void) {
  RUN(action_is_a_homomorphism);
  RUN(reflection);
  RUN(c2);
  RUN(c4);
  RUN(d1);
  RUN(d2);
  RUN(d4);
  RUN(octahedral);
  RUN(full_octahedral);
  RUN(lattice_elements_of_c8);
  RUN(lattice_elements_of_d6);
  RUN(lattice_elements_of_similarities);
  RUN(lattice_elements_of_c8_about_z);
  RUN(every_basis);
  RUN(every_pair_of_quotients);
  RUN(c4_of_a_large_layer);
  RUN(pooling_commutes_with_the_action);
  return test_result();
}

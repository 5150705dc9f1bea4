/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of layers. Random numbers have all digits of their types, so that each rounding shows. Nothing here passes
 * through a function of the C library's mathematics: pixels and splines are sampled by sums, products and roots.
 */
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "test.h"

typedef struct digest_case {
  const char *name; /* of the group, the sizes and the kernel */
  int group, basis; /* numbers of test.h */
  int64_t spatial[3];
  int64_t kernel, stride, padding, dilation, channels_in, channels_out;
  equiconv_padding_mode mode;
} digest_case;

/* Odd and even sizes, kernels and channels; rows of many vectors and of less than one. */
static const digest_case cases[] = {
    {"C4 9x12 k3", GROUP_C4, 0, {9, 12}, 3, 1, EQUICONV_PADDING_SAME, 1, 5, 11, EQUICONV_PADDING_ZEROS},
    {"C4 10x11 k4 s2", GROUP_C4, 0, {10, 11}, 4, 2, 1, 1, 8, 6, EQUICONV_PADDING_ZEROS},
    {"C4 37x40 k3 periodic", GROUP_C4, 0, {37, 40}, 3, 1, 1, 1, 2, 3, EQUICONV_PADDING_CIRCULAR},
    {"D4 8x21 k5", GROUP_D4, 0, {8, 21}, 5, 1, EQUICONV_PADDING_SAME, 1, 3, 9, EQUICONV_PADDING_ZEROS},
    {"D4 15x13 k3 s2 d2", GROUP_D4, 0, {15, 13}, 3, 2, 2, 2, 16, 8, EQUICONV_PADDING_REFLECT},
    {"C8 11x14 k3", GROUP_C8, 0, {11, 14}, 3, 1, EQUICONV_PADDING_SAME, 1, 4, 5, EQUICONV_PADDING_ZEROS},
    {"C8 12x9 k5 splines", GROUP_C8, 2, {12, 9}, 5, 1, 1, 1, 3, 4, EQUICONV_PADDING_REPLICATE},
    {"octahedral 5x6x7 k3",
     GROUP_OCTAHEDRAL,
     0,
     {5, 6, 7},
     3,
     1,
     EQUICONV_PADDING_SAME,
     1,
     2,
     3,
     EQUICONV_PADDING_ZEROS},
    {"octahedral 6x4x5 k2 s2", GROUP_OCTAHEDRAL, 0, {6, 4, 5}, 2, 2, 1, 1, 3, 2, EQUICONV_PADDING_ZEROS},
    {"C4 40x38 k11", GROUP_C4, 0, {40, 38}, 11, 1, EQUICONV_PADDING_SAME, 1, 4, 4, EQUICONV_PADDING_ZEROS},
};

static const char *const layers[] = {"isotropic", "lifting", "group", "projection"};
static const char *const dtypes[] = {"float32", "float64"};
static const char *const passes[] = {"forward", "input-gradient", "weight-gradient"};
static const char *const algorithms[] = {"auto", "direct", "winograd", "fourier", "group-fourier", "exact"};

/** A pass of the layer into `result`, of `bytes`. Whether it has this pass. */
static bool run_pass(const test_layer *layer, const void *gradient, equiconv_pass pass, void *result) {
  equiconv_status status = EQUICONV_SUCCESS;
  if (pass == EQUICONV_PASS_FORWARD) {
    status = equiconv_plan_forward(layer->plan, layer->batch, layer->input, layer->weight, layer->bias, result);
  } else if (pass == EQUICONV_PASS_INPUT_GRADIENT) {
    status = equiconv_plan_input_gradient(layer->plan, layer->batch, gradient, layer->weight, result);
  } else {
    status = equiconv_plan_weight_gradient(layer->plan, layer->batch, gradient, layer->input, result);
  }
  CHECK(status == EQUICONV_SUCCESS || status == EQUICONV_ERROR_UNSUPPORTED_ALGORITHM);
  return status == EQUICONV_SUCCESS;
}

/**
 * Whether a pass has the same bits on all processors that fuse multiply-adds. Those by Fourier transforms on H do not
 * where they add up lanes of vectors, as weight gradients do, or blocks of vectors, as input gradients of strides do.
 */
static bool is_portable(const equiconv_descriptor *d, equiconv_pass pass, equiconv_algorithm used) {
  if (used != EQUICONV_ALGORITHM_GROUP_FOURIER || pass == EQUICONV_PASS_FORWARD) return true;
  return pass == EQUICONV_PASS_INPUT_GRADIENT && d->stride[0] == 1;
}

/**
 * The name says which algorithm was used, and its tile: exact, and that algorithm by its name, are one line if their bits
 * agree. Only the Fourier tiles of exact are of turned planes.
 */
static void print_pass(const digest_case *c, const equiconv_descriptor *d, const test_layer *layer,
                       const void *gradient, equiconv_pass pass) {
  const int64_t counts[] = {layer->outputs, layer->inputs, layer->weights};
  const size_t bytes = (size_t)counts[pass] * dtype_size(d->dtype);
  void *result = guarded_alloc(bytes);
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  if (run_pass(layer, gradient, pass, result)) {
    CHECK_SUCCESS(equiconv_plan_explain(layer->plan, pass, layer->batch, &explanation));
    if (is_portable(d, pass, explanation.algorithm)) {
      char name[256], tile[32] = "";
      const char *turned = explanation.is_exact ? ", turned" : "";
      if (explanation.tile != 0) snprintf(tile, sizeof tile, " of %d%s", explanation.tile, turned);
      snprintf(name, sizeof name, "%s %s %s, %s: %s%s", c->name, layers[d->layer], dtypes[d->dtype], passes[pass],
               algorithms[explanation.algorithm], tile);
      print_digest(name, result, bytes);
    }
  }
  CHECK(guards_intact(result));
  guarded_free(result);
}

/** Whether the layer has the algorithm; any other error is a failed check. */
static bool is_supported(const equiconv_descriptor *d) {
  equiconv_plan *plan = NULL;
  const equiconv_status status = equiconv_plan_create(d, &plan);
  CHECK(status == EQUICONV_SUCCESS || status == EQUICONV_ERROR_UNSUPPORTED_ALGORITHM);
  equiconv_plan_destroy(plan);
  return status == EQUICONV_SUCCESS;
}

static void print_layer(const digest_case *c, const equiconv_descriptor *d) {
  if (!is_supported(d)) return;
  test_random random = {2001};
  test_layer layer = layer_make(d, 2, &random);
  if (layer.plan == NULL) return;
  const size_t bytes = (size_t)layer.outputs * dtype_size(d->dtype);
  void *gradient = guarded_alloc(bytes);
  random_fill(&random, d->dtype, gradient, layer.outputs);
  for (int pass = 0; pass < 3; pass++) print_pass(c, d, &layer, gradient, (equiconv_pass)pass);
  guarded_free(gradient);
  layer_free(&layer);
}

static void print_case(const digest_case *c) {
  static const equiconv_algorithm tried[] = {EQUICONV_ALGORITHM_DIRECT, EQUICONV_ALGORITHM_WINOGRAD,
                                             EQUICONV_ALGORITHM_FOURIER, EQUICONV_ALGORITHM_GROUP_FOURIER,
                                             EQUICONV_ALGORITHM_EXACT};
  equiconv_group *group = make_group(c->group);
  equiconv_basis *basis = make_basis(c->basis, equiconv_group_dimension(group), c->kernel);
  for (int32_t layer = 0; layer < 4; layer++) {
    for (int32_t dtype = 0; dtype < 2; dtype++) {
      equiconv_descriptor d = make_descriptor(group, layer, dtype, c->channels_in, c->channels_out, 1, c->kernel);
      d.basis = basis;
      d.padding_mode = c->mode;
      memcpy(d.spatial, c->spatial, sizeof d.spatial);
      for (int axis = 0; axis < d.dimension; axis++) {
        d.stride[axis] = c->stride;
        d.padding[axis] = c->padding;
        d.dilation[axis] = c->dilation;
      }
      for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        d.algorithm = tried[i];
        print_layer(c, &d);
      }
    }
  }
  equiconv_basis_destroy(basis);
  equiconv_group_destroy(group);
}

void print_layer_digests(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) print_case(&cases[i]);
}

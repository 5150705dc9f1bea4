/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients are adjoints, and the expanded filter bank is the layer, all by definitions written here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static double inner_product(const double *a, const double *b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

static void check_close(double a, double b, double scale) { CHECK(fabs(a - b) <= 1e-12 * scale); }

static double norm(const double *a, int64_t count) { return sqrt(inner_product(a, a, count)); }

/* ---- A variety of layers in float64 ---- */

typedef void layer_check(const equiconv_descriptor *descriptor, test_layer *layer, test_random *random);

/** Runs a check on every layer of one group with one geometry. */
static void for_each_layer(int number, int64_t kernel, int64_t stride, int64_t dilation, int32_t mode,
                           layer_check check) {
  test_random random = {51};
  equiconv_group *group = make_group(number);
  const int32_t dimension = equiconv_group_dimension(group);
  for (int32_t kind = 0; kind < 4; kind++) {
    equiconv_descriptor d = make_descriptor(group, kind, EQUICONV_FLOAT64, 2, 3, dimension == 3 ? 5 : 8, kernel);
    d.spatial[0] += 1;
    d.padding_mode = mode;
    for (int axis = 0; axis < dimension; axis++) {
      d.stride[axis] = stride;
      d.dilation[axis] = dilation;
      d.padding[axis] = 1;
    }
    test_layer layer = layer_make(&d, 2, &random);
    if (layer.plan == NULL) continue;
    layer_forward(&layer);
    check(&d, &layer, &random);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

/** Runs a check on the four layers, and one between quotients, of C8 and of scalings with every basis. */
static void for_all_bases(layer_check check) {
  static const int groups[] = {GROUP_C8, GROUP_SIMILARITY};
  static const int32_t even[4] = {0, 2, 4, 6}, first[4] = {3, 2, 1, 0};
  test_random random = {53};
  for (int i = 0; i < 2; i++) {
    equiconv_group *group = make_group(groups[i]);
    equiconv_subgroup *identity = make_subgroup(group, 1, first + 3);
    equiconv_subgroup *four = make_subgroup(group, 4, i == 0 ? even : first);
    for (int number = 0; number <= TEST_BASES; number++) {
      equiconv_basis *basis = make_basis(number, 2, 5);
      for (int32_t kind = 0; kind <= EQUICONV_LAYER_GENERAL; kind++) {
        equiconv_descriptor d = make_descriptor(group, kind, EQUICONV_FLOAT64, 2, 3, 8, 5);
        d.basis = basis;
        d.interpolation = EQUICONV_INTERPOLATION_BICUBIC;
        d.quadrature = kind % 2;
        d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
        d.input_stabilizer = i == 0 ? four : identity;
        d.output_stabilizer = i == 0 ? identity : four;
        test_layer layer = layer_make(&d, 2, &random);
        if (layer.plan == NULL) continue;
        layer_forward(&layer);
        check(&d, &layer, &random);
        layer_free(&layer);
      }
      equiconv_basis_destroy(basis);
    }
    equiconv_subgroup_destroy(four);
    equiconv_subgroup_destroy(identity);
    equiconv_group_destroy(group);
  }
}

static void for_all(layer_check check) {
  static const int groups[] = {0,        GROUP_TRIVIAL2,   GROUP_REFLECTION, GROUP_C4,       6,
                               GROUP_D4, GROUP_OCTAHEDRAL, GROUP_C8,         GROUP_SCALING1, GROUP_SCALING2,
                               GROUP_D6, GROUP_SIMILARITY, GROUP_AXIAL};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    for_each_layer(groups[i], 3, 1, 1, EQUICONV_PADDING_ZEROS, check);
    for_each_layer(groups[i], 2, 2, 1, EQUICONV_PADDING_CIRCULAR, check);
    for_each_layer(groups[i], 2, 1, 3, EQUICONV_PADDING_ZEROS, check);
    for_each_layer(groups[i], 3, 1, 2, EQUICONV_PADDING_REFLECT, check);
    for_each_layer(groups[i], 2, 2, 1, EQUICONV_PADDING_REPLICATE, check);
  }
}

/* ---- Gradients: <g, K f> = <K* g, f>, for f the input and f the weight ---- */

static void check_adjoints(const equiconv_descriptor *descriptor, test_layer *layer, test_random *random) {
  double *g = guarded_alloc((size_t)layer->outputs * sizeof(double));
  double *gi = guarded_alloc((size_t)layer->inputs * sizeof(double));
  double *gw = guarded_alloc((size_t)layer->weights * sizeof(double));
  double *gb = guarded_alloc((size_t)layer->biases * sizeof(double));
  random_fill(random, EQUICONV_FLOAT64, g, layer->outputs);
  CHECK_SUCCESS(equiconv_plan_input_gradient(layer->plan, layer->batch, g, layer->weight, gi));
  CHECK_SUCCESS(equiconv_plan_weight_gradient(layer->plan, layer->batch, g, layer->input, gw));
  CHECK_SUCCESS(equiconv_plan_bias_gradient(layer->plan, layer->batch, g, gb));
  CHECK_SUCCESS(equiconv_plan_forward(layer->plan, layer->batch, layer->input, layer->weight, NULL, layer->output));
  const double value = inner_product(g, layer->output, layer->outputs);
  const double scale = norm(g, layer->outputs) * norm(layer->output, layer->outputs);
  check_close(inner_product(gi, layer->input, layer->inputs), value, scale);
  check_close(inner_product(gw, layer->weight, layer->weights), value, scale);
  const int64_t block = layer->outputs / layer->batch / descriptor->out_channels;
  for (int64_t o = 0; o < descriptor->out_channels; o++) {
    double sum = 0;
    for (int64_t i = 0; i < layer->outputs; i++) sum += i / block % descriptor->out_channels == o ? g[i] : 0;
    check_close(gb[o], sum, norm(g, layer->outputs));
  }
  double *const arrays[] = {g, gi, gw, gb};
  for (int i = 0; i < 4; i++) {
    CHECK(guards_intact(arrays[i]));
    guarded_free(arrays[i]);
  }
}

static void gradients_are_adjoints(void) { for_all(check_adjoints); }
static void gradients_with_bases_are_adjoints(void) { for_all_bases(check_adjoints); }

/* ---- The filter bank ---- */

typedef struct correlation {
  int dimension;
  int64_t channels_in, channels_out, in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  int32_t mode;
} correlation;

/** The position of a signal that continues so; -1 for a zero. */
static int64_t continued(int32_t mode, int64_t at, int64_t size) {
  switch (mode) {
  case EQUICONV_PADDING_CIRCULAR: return (at % size + size) % size;
  case EQUICONV_PADDING_REPLICATE: return at < 0 ? 0 : at < size ? at : size - 1;
  case EQUICONV_PADDING_REFLECT:
    if (size == 1) return 0;
    while (at < 0 || at >= size) at = at < 0 ? -at : 2 * (size - 1) - at;
    return at;
  default: return at >= 0 && at < size ? at : -1;
  }
}

/** The position read on one axis, or -1 for a zero of the padding. */
static int64_t read_position(const correlation *c, int axis, int64_t x, int64_t tap) {
  const int64_t position = x * c->stride[axis] - c->padding[axis] + tap * c->dilation[axis];
  return continued(axis < c->dimension ? c->mode : EQUICONV_PADDING_ZEROS, position, c->in[axis]);
}

/** One output number of one image: the sum over channels and taps of bank[o, c, tap] f[c, position]. */
static double correlate(const correlation *c, const double *f, const double *bank, int64_t o, const int64_t *x) {
  const int64_t taps = c->kernel[0] * c->kernel[1] * c->kernel[2], plane = c->in[0] * c->in[1] * c->in[2];
  double sum = 0;
  for (int64_t tap = 0; tap < taps; tap++) {
    const int64_t i = read_position(c, 0, x[0], tap / (c->kernel[1] * c->kernel[2]));
    const int64_t j = read_position(c, 1, x[1], tap / c->kernel[2] % c->kernel[1]);
    const int64_t k = read_position(c, 2, x[2], tap % c->kernel[2]);
    if (i < 0 || j < 0 || k < 0) continue;
    const int64_t pixel = (i * c->in[1] + j) * c->in[2] + k;
    for (int64_t channel = 0; channel < c->channels_in; channel++) {
      sum += bank[(o * c->channels_in + channel) * taps + tap] * f[channel * plane + pixel];
    }
  }
  return sum;
}

static correlation correlation_of(const equiconv_descriptor *d, const test_layer *layer) {
  correlation c = {d->dimension, 0, 0, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, 0};
  int64_t bank[EQUICONV_MAX_RANK], output[EQUICONV_MAX_RANK];
  int32_t rank, output_rank;
  CHECK_SUCCESS(equiconv_plan_get_bank_shape(layer->plan, bank, &rank));
  CHECK_SUCCESS(equiconv_plan_get_output_shape(layer->plan, layer->batch, output, &output_rank));
  CHECK(rank == 2 + d->dimension);
  c.channels_out = bank[0];
  c.channels_in = bank[1];
  c.mode = (int32_t)d->padding_mode;
  for (int axis = 0; axis < d->dimension; axis++) {
    c.in[axis] = d->spatial[axis];
    c.out[axis] = output[output_rank - d->dimension + axis];
    c.kernel[axis] = bank[2 + axis];
    c.stride[axis] = d->stride[axis];
    c.dilation[axis] = d->dilation[axis];
    /* Elements that enlarge sample more taps, about the same points. */
    c.padding[axis] =
        (d->padding[axis] == EQUICONV_PADDING_SAME ? d->dilation[axis] * (d->kernel[axis] - 1) / 2 : d->padding[axis]) +
        d->dilation[axis] * (c.kernel[axis] - d->kernel[axis]) / 2;
  }
  return c;
}

static void check_correlation(const equiconv_descriptor *d, test_layer *layer, test_random *random) {
  (void)random;
  const correlation c = correlation_of(d, layer);
  const int64_t taps = c.kernel[0] * c.kernel[1] * c.kernel[2];
  const int64_t in = c.in[0] * c.in[1] * c.in[2], out = c.out[0] * c.out[1] * c.out[2];
  double *bank = guarded_alloc((size_t)(c.channels_out * c.channels_in * taps) * sizeof(double));
  CHECK_SUCCESS(equiconv_plan_expand(layer->plan, layer->weight, bank));
  CHECK(layer->outputs == layer->batch * c.channels_out * out && layer->inputs == layer->batch * c.channels_in * in);
  const double *input = layer->input, *output = layer->output, *bias = layer->bias;
  const double scale = 10 + (double)(c.channels_in * taps);
  for (int64_t i = 0; i < layer->outputs; i++) {
    const int64_t image = i / (c.channels_out * out), o = i / out % c.channels_out;
    const int64_t x[3] = {i % out / (c.out[1] * c.out[2]), i / c.out[2] % c.out[1], i % c.out[2]};
    const double value = correlate(&c, input + image * c.channels_in * in, bank, o, x);
    check_close(output[i], value + bias[o * d->out_channels / c.channels_out], scale);
  }
  CHECK(guards_intact(bank));
  guarded_free(bank);
}

static void layer_is_the_correlation_with_its_filter_bank(void) {
  for_all(check_correlation);
  for_all_bases(check_correlation);
}

/* bank[o, h, c, :] = L_h k[o, c] for lifting and group; its mean over h for isotropic and projection. */
static void check_bank(const equiconv_descriptor *d, test_layer *layer, test_random *random) {
  (void)random;
  const int64_t order = equiconv_group_order(d->group);
  if (!equiconv_group_is_lattice(d->group)) return;
  const bool on_group = d->layer == EQUICONV_LAYER_GROUP || d->layer == EQUICONV_LAYER_PROJECTION;
  const bool mean = d->layer == EQUICONV_LAYER_ISOTROPIC || d->layer == EQUICONV_LAYER_PROJECTION;
  const int64_t filters = d->out_channels * d->in_channels, size = layer->weights / filters;
  const int64_t copies = mean ? 1 : order;
  double *bank = guarded_alloc((size_t)(layer->weights * copies) * sizeof(double));
  double *turned = guarded_alloc((size_t)layer->weights * sizeof(double));
  double *expected = calloc((size_t)(layer->weights * copies), sizeof(double));
  CHECK_SUCCESS(equiconv_plan_expand(layer->plan, layer->weight, bank));
  for (int64_t h = 0; h < order; h++) {
    CHECK_SUCCESS(equiconv_act(d->group, h, EQUICONV_FLOAT64, on_group ? EQUICONV_SIGNAL_GROUP : EQUICONV_SIGNAL_PLANE,
                               d->out_channels, d->in_channels, d->kernel, layer->weight, turned));
    for (int64_t i = 0; i < layer->weights; i++) {
      const int64_t o = i / (d->in_channels * size), rest = i % (d->in_channels * size);
      const int64_t place = ((o * copies + (mean ? 0 : h)) * d->in_channels) * size + rest;
      expected[place] += mean ? turned[i] / (double)order : turned[i];
    }
  }
  for (int64_t i = 0; i < layer->weights * copies; i++) check_close(bank[i], expected[i], mean ? 1 : 0);
  CHECK(guards_intact(bank));
  guarded_free(bank);
  guarded_free(turned);
  free(expected);
}

static void filter_bank_is_the_turned_weight(void) { for_all(check_bank); }

/* <p, pool(f)> = <pool*(p), f> for the mean; for the maximum with pool* taken at f. */
static void pool_gradients_are_adjoints(void) {
  enum { OUTER = 3, ORDER = 6, INNER = 7 };
  test_random random = {52};
  double f[OUTER * ORDER * INNER], gradient[OUTER * ORDER * INNER], p[OUTER * INNER], pooled[OUTER * INNER];
  random_fill(&random, EQUICONV_FLOAT64, f, OUTER * ORDER * INNER);
  random_fill(&random, EQUICONV_FLOAT64, p, OUTER * INNER);
  for (int32_t mode = 0; mode < 2; mode++) {
    CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT64, mode, OUTER, ORDER, INNER, f, pooled));
    CHECK_SUCCESS(equiconv_group_pool_vjp(EQUICONV_FLOAT64, mode, OUTER, ORDER, INNER, p, f, gradient));
    check_close(inner_product(p, pooled, OUTER * INNER), inner_product(gradient, f, OUTER * ORDER * INNER), 10);
  }
}

int main(void) {
  RUN(gradients_are_adjoints);
  RUN(gradients_with_bases_are_adjoints);
  RUN(layer_is_the_correlation_with_its_filter_bank);
  RUN(filter_bank_is_the_turned_weight);
  RUN(pool_gradients_are_adjoints);
  return test_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, plans, and the queries of plans. */
#include <math.h>

#include "fuzz.h"

enum { MOST_NUMBERS = 20000 };
static const double MOST_OPERATIONS = 1e6;

/* ---- Descriptors ---- */

static void all_axes(int64_t *axes, int64_t value) {
  for (int axis = 0; axis < 3; axis++) axes[axis] = value;
}

static void choose_spaces(equiconv_descriptor *d) {
  if (d->layer != EQUICONV_LAYER_GENERAL && !seldom(16)) return;
  d->input_stabilizer = subgroup_choose(d->group, 0);
  d->output_stabilizer = subgroup_choose(d->group, 2);
}

static void choose_bases(equiconv_descriptor *d) {
  if (seldom(3)) d->basis = bases[between(0, BASES - 1)];
  if (seldom(4)) d->group_basis = group_bases[between(0, GROUP_BASES - 1)];
  if (d->basis != NULL && !seldom(8)) LAW(equiconv_basis_get_extents(d->basis, d->kernel) == EQUICONV_SUCCESS);
}

/** Replaces one number by any. */
static void spoil(equiconv_descriptor *d) {
  int64_t *const wide[] = {d->spatial, d->kernel, d->stride, d->padding, d->dilation};
  const int64_t choice = between(0, 15);
  switch (choice) {
  case 0: d->struct_size = (size_t)wild(); break;
  case 1: d->group = NULL; break;
  case 2: d->in_channels = wild(); break;
  case 3: d->out_channels = wild(); break;
  case 4: d->dimension = (int32_t)wild(); break;
  case 5: d->channel_groups = (int32_t)wild(); break;
  default:
    if (choice < 11) {
      wide[choice - 6][between(0, 2)] = wild();
    } else {
      all_axes(wide[choice - 11], wild());
    }
  }
}

equiconv_descriptor descriptor_choose(void) {
  equiconv_descriptor d;
  equiconv_descriptor_init(&d);
  d.group = group_choose();
  d.layer = (equiconv_layer_kind)kind_between(0, 4);
  d.dtype = (equiconv_dtype)kind_between(0, 1);
  d.padding_mode = (equiconv_padding_mode)kind_between(0, 3);
  d.algorithm = (equiconv_algorithm)kind_between(0, 5);
  d.interpolation = (equiconv_interpolation)kind_between(0, 2);
  d.quadrature = kind_between(0, 1);
  d.dimension = equiconv_group_dimension(d.group);
  d.in_channels = between(1, 4);
  d.out_channels = between(1, 4);
  if (seldom(6)) {
    d.channel_groups = (int32_t)between(1, 3);
    if (!seldom(8)) {
      d.in_channels = d.channel_groups * between(1, 2);
      d.out_channels = d.channel_groups * between(1, 2);
    }
  }
  const int64_t largest = d.dimension == 3 ? 5 : 20;
  all_axes(d.spatial, between(1, largest));
  if (seldom(2)) d.spatial[between(0, 2)] = between(1, largest);
  all_axes(d.kernel, seldom(4) ? between(1, 7) : between(1, 3));
  if (seldom(3)) all_axes(d.stride, between(1, 3));
  all_axes(d.padding, between(-1, 3));
  if (seldom(3)) all_axes(d.dilation, between(1, 3));
  choose_spaces(&d);
  choose_bases(&d);
  if (seldom(6)) spoil(&d);
  return d;
}

/* ---- Plans ---- */

void layer_create(void) {
  const int64_t place = between(0, PLANS - 1);
  const equiconv_descriptor d = descriptor_choose();
  equiconv_plan *plan = NULL;
  const equiconv_status status = CALL(equiconv_plan_create, &d, &plan);
  LAW((status == EQUICONV_SUCCESS) == (plan != NULL));
  if (plan == NULL) return;
  equiconv_plan_destroy(layers[place].plan);
  layers[place].plan = plan;
  layers[place].descriptor = d;
}

static int64_t product(const int64_t shape[EQUICONV_MAX_RANK]) {
  double size = 1;
  for (int i = 0; i < EQUICONV_MAX_RANK; i++) size *= (double)shape[i];
  return size > MOST_NUMBERS ? MOST_NUMBERS + 1 : (int64_t)size;
}

shapes shapes_of(const layer *l, int64_t batch) {
  shapes s = {0};
  int32_t rank;
  LAW(CALL(equiconv_plan_get_input_shape, l->plan, batch, s.input, &s.rank_in) == EQUICONV_SUCCESS);
  LAW(CALL(equiconv_plan_get_output_shape, l->plan, batch, s.output, &s.rank_out) == EQUICONV_SUCCESS);
  LAW(CALL(equiconv_plan_get_weight_shape, l->plan, s.weight, &rank) == EQUICONV_SUCCESS);
  s.inputs = product(s.input);
  s.outputs = product(s.output);
  s.weights = product(s.weight);
  s.channels = s.output[1];
  return s;
}

bool is_small(const layer *l, int64_t batch) {
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  if (equiconv_plan_get_input_shape(l->plan, batch, shape, &rank) != EQUICONV_SUCCESS ||
      product(shape) > MOST_NUMBERS ||
      equiconv_plan_get_output_shape(l->plan, batch, shape, &rank) != EQUICONV_SUCCESS ||
      product(shape) > MOST_NUMBERS || equiconv_plan_get_weight_shape(l->plan, shape, &rank) != EQUICONV_SUCCESS ||
      product(shape) > MOST_NUMBERS) {
    return false;
  }
  return equiconv_plan_flops(l->plan, batch) < MOST_OPERATIONS;
}

/* ---- Queries ---- */

static void ask_shapes(const layer *l) {
  const int64_t batch = size_between(0, 3);
  int64_t shape[EQUICONV_MAX_RANK] = {-7, -7, -7, -7, -7, -7};
  int32_t rank = -7;
  const equiconv_status status = CALL(equiconv_plan_get_output_shape, l->plan, batch, shape, &rank);
  LAW(status == EQUICONV_SUCCESS ? shape[0] == batch && rank > 2 : shape[0] == -7 && rank == -7);
  LAW(CALL(equiconv_plan_get_bank_shape, l->plan, shape, &rank) == EQUICONV_SUCCESS);
  LAW(CALL(equiconv_plan_get_sampled_kernel, l->plan, shape) == EQUICONV_SUCCESS);
  for (int32_t axis = 0; axis < l->descriptor.dimension; axis++) LAW(shape[axis] >= l->descriptor.kernel[axis]);
}

static void ask_explanation(const layer *l) {
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  const equiconv_pass pass = (equiconv_pass)kind_between(0, 2);
  explanation.prepared = seldom(4) ? kind_between(0, 1) : 0;
  if (seldom(24)) explanation.struct_size = (size_t)wild();
  const equiconv_status status = CALL(equiconv_plan_explain, l->plan, pass, size_between(0, 3), &explanation);
  if (status != EQUICONV_SUCCESS) return;
  LAW(explanation.pass == pass);
  LAW(explanation.algorithm >= EQUICONV_ALGORITHM_DIRECT && explanation.algorithm <= EQUICONV_ALGORITHM_GROUP_FOURIER);
  LAW(isfinite(explanation.seconds) && explanation.seconds >= 0);
  LAW(explanation.workspace_bytes >= 0 && explanation.weight_bytes >= 0);
  LAW(memchr(explanation.reason, '\0', EQUICONV_REASON_SIZE) != NULL);
}

void layer_ask(void) {
  const layer *l = layer_choose();
  int64_t remainder = -7;
  const int32_t axis = kind_between(0, 2);
  const equiconv_status status = CALL(equiconv_plan_get_stride_remainder, l->plan, axis, &remainder);
  LAW((status == EQUICONV_SUCCESS) == (remainder >= 0));
  LAW(l->plan != NULL || status == EQUICONV_ERROR_NULL_POINTER);
  if (l->plan == NULL) return;
  ask_shapes(l);
  ask_explanation(l);
}

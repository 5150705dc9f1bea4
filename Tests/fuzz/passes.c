/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of plans: results by their laws, wrong arguments by their statuses. */
#include <math.h>

#include "fuzz.h"

/** The arrays of one layer. Inputs are only readable. */
typedef struct run {
  const layer *plan;
  int32_t dtype;
  int64_t batch;
  bool special;
  shapes s;
  array input, weight, bias;
} run;

static array results(const run *r, int64_t count) {
  return array_make((size_t)count * dtype_bytes(r->dtype), dtype_bytes(r->dtype));
}

static bool run_begin(run *r) {
  *r = (run){.plan = layer_choose(), .batch = between(0, 2)};
  if (r->plan->plan == NULL || !is_small(r->plan, r->batch)) return false;
  r->dtype = r->plan->descriptor.dtype;
  r->special = seldom(8);
  r->s = shapes_of(r->plan, r->batch);
  r->input = array_of_numbers(r->dtype, r->s.inputs, r->special);
  r->weight = array_of_numbers(r->dtype, r->s.weights, r->special && seldom(2));
  r->bias = array_of_numbers(r->dtype, r->s.channels, false);
  return true;
}

static void run_end(run *r) {
  array_end(&r->input);
  array_end(&r->weight);
  array_end(&r->bias);
}

/** Success, or what may go wrong with right arguments; the output of a call that was refused is as it was. */
static bool is_done(const run *r, equiconv_status status, const array *output) {
  if (status == EQUICONV_ERROR_CANCELLED) return false;
  LAW(status == EQUICONV_SUCCESS || status == EQUICONV_ERROR_OUT_OF_MEMORY ||
      status == EQUICONV_ERROR_UNSUPPORTED_ALGORITHM);
  const int32_t algorithm = r->plan->descriptor.algorithm;
  if (status == EQUICONV_ERROR_UNSUPPORTED_ALGORITHM) LAW(algorithm >= EQUICONV_ALGORITHM_WINOGRAD);
  if (status != EQUICONV_SUCCESS) LAW(array_is_untouched(output));
  return status == EQUICONV_SUCCESS;
}

static void check_finite(const run *r, const array *output, int64_t count) {
  for (int64_t i = 0; !r->special && i < count; i++) LAW(isfinite(number_at(output, r->dtype, i)));
}

/* ---- Forward: the array, a prepared weight, the expanded bank ---- */

static void forward_prepared(const run *r, const array *expected, equiconv_status status) {
  equiconv_weight *weight = NULL;
  if (CALL(equiconv_plan_prepare, r->plan->plan, r->weight.numbers, &weight) != EQUICONV_SUCCESS) return;
  LAW(equiconv_weight_bytes(weight) >= (int64_t)r->weight.bytes);
  array output = results(r, r->s.outputs);
  const equiconv_status prepared = CALL(equiconv_plan_forward_prepared, r->plan->plan, r->batch, r->input.numbers,
                                        weight, r->bias.numbers, output.numbers);
  if (prepared == EQUICONV_SUCCESS && status == EQUICONV_SUCCESS &&
      r->plan->descriptor.algorithm == EQUICONV_ALGORITHM_DIRECT) {
    LAW(memcmp(output.numbers, expected->numbers, expected->bytes) == 0);
  }
  is_done(r, prepared, &output);
  array_end(&output);
  const int64_t place = between(0, WEIGHTS - 1);
  equiconv_weight_destroy(weights[place]);
  weights[place] = weight;
}

static bool forward(const run *r, const void *bias, array *output) {
  *output = results(r, r->s.outputs);
  const equiconv_status status =
      CALL(equiconv_plan_forward, r->plan->plan, r->batch, r->input.numbers, r->weight.numbers, bias, output->numbers);
  const bool done = is_done(r, status, output);
  if (done) check_finite(r, output, r->s.outputs);
  return done;
}

static void run_forward(const run *r) {
  array output;
  const bool with_bias = !seldom(3), done = forward(r, with_bias ? r->bias.numbers : NULL, &output);
  if (done && !r->special) {
    compare_with_expansion(r->plan, &r->s, &r->input, &r->weight, with_bias ? &r->bias : NULL, &output);
  }
  if (done && with_bias && seldom(2)) forward_prepared(r, &output, EQUICONV_SUCCESS);
  array_end(&output);
}

/* ---- Gradients: adjoints of the forward pass ---- */

typedef struct sums {
  double product, left, right;
} sums;

static sums inner(const run *r, const array *a, const array *b, int64_t count) {
  sums s = {0, 0, 0};
  for (int64_t i = 0; i < count; i++) {
    const double x = number_at(a, r->dtype, i), y = number_at(b, r->dtype, i);
    s.product += x * y;
    s.left += x * x;
    s.right += y * y;
  }
  return s;
}

static double size_of_sums(sums s) { return sqrt(s.left * s.right); }

static void check_adjoint(const run *r, sums forward, sums backward) {
  const double tolerance = r->dtype == EQUICONV_FLOAT64 ? 1e-10 : 1e-3;
  LAW(fabs(forward.product - backward.product) <=
      tolerance * (size_of_sums(forward) + size_of_sums(backward) + 1e-2 * sqrt(forward.left)));
}

static void run_gradients(const run *r) {
  array output, grad_input = results(r, r->s.inputs), grad_weight = results(r, r->s.weights),
                grad_bias = results(r, r->s.channels);
  const array grad_output = array_of_numbers(r->dtype, r->s.outputs, r->special);
  const bool has_output = forward(r, NULL, &output);
  const equiconv_plan *plan = r->plan->plan;
  const void *given = grad_output.numbers;
  sums forwards = {0, 0, 0};
  if (has_output) forwards = inner(r, &grad_output, &output, r->s.outputs);
  if (is_done(r, CALL(equiconv_plan_input_gradient, plan, r->batch, given, r->weight.numbers, grad_input.numbers),
              &grad_input)) {
    check_finite(r, &grad_input, r->s.inputs);
    if (has_output && !r->special) check_adjoint(r, forwards, inner(r, &grad_input, &r->input, r->s.inputs));
  }
  if (is_done(r, CALL(equiconv_plan_weight_gradient, plan, r->batch, given, r->input.numbers, grad_weight.numbers),
              &grad_weight)) {
    check_finite(r, &grad_weight, r->s.weights);
    if (has_output && !r->special) check_adjoint(r, forwards, inner(r, &grad_weight, &r->weight, r->s.weights));
  }
  if (is_done(r, CALL(equiconv_plan_bias_gradient, plan, r->batch, given, grad_bias.numbers), &grad_bias)) {
    check_finite(r, &grad_bias, r->s.channels);
  }
  array ended = grad_output;
  array_end(&ended);
  array_end(&grad_bias);
  array_end(&grad_weight);
  array_end(&grad_input);
  array_end(&output);
}

void layer_run(void) {
  run r;
  if (!run_begin(&r)) return;
  if (seldom(2)) {
    run_gradients(&r);
  } else {
    run_forward(&r);
  }
  run_end(&r);
}

/* ---- Wrong arguments: a status, and nothing written ---- */

static void run_spoiled(const run *r, array *output) {
  const equiconv_plan *plan = r->plan->plan;
  const char *input = r->input.numbers;
  char *written = output->numbers;
  equiconv_status status = EQUICONV_SUCCESS, expected = EQUICONV_ERROR_NULL_POINTER;
  int64_t batch = r->batch;
  switch (between(0, 5)) {
  case 0: input = NULL; break;
  case 1: written = NULL; break;
  case 2: plan = NULL; break;
  case 3:
    input += 1;
    expected = EQUICONV_ERROR_MISALIGNED_POINTER;
    break;
  case 4:
    written = r->input.numbers; /* which cannot be written to */
    expected = EQUICONV_ERROR_OVERLAP;
    break;
  default: batch = INT64_MIN + between(0, 9); expected = EQUICONV_ERROR_INVALID_SIZE;
  }
  status = CALL(equiconv_plan_forward, plan, batch, input, r->weight.numbers, r->bias.numbers, written);
  if (r->batch > 0) LAW(status == expected);
  LAW(array_is_untouched(output));
}

void layer_run_wrongly(void) {
  run r;
  if (!run_begin(&r)) return;
  array output = results(&r, r.s.outputs);
  if (seldom(2)) {
    run_spoiled(&r, &output);
  } else {
    /* A weight that was prepared for another plan, perhaps. */
    const equiconv_weight *weight = weights[between(0, WEIGHTS - 1)];
    const equiconv_status status = CALL(equiconv_plan_forward_prepared, r.plan->plan, r.batch, r.input.numbers, weight,
                                        r.bias.numbers, output.numbers);
    if (status != EQUICONV_SUCCESS && status != EQUICONV_ERROR_CANCELLED) LAW(array_is_untouched(&output));
  }
  array_end(&output);
  run_end(&r);
}

/* ---- Layers in one call ---- */

static equiconv_status call_forward(const equiconv_descriptor *d, const run *r, array *output) {
  const void *input = r->input.numbers, *weight = r->weight.numbers, *bias = seldom(3) ? NULL : r->bias.numbers;
  switch (d->layer) {
  case EQUICONV_LAYER_ISOTROPIC:
    return CALL(equiconv_isotropic_conv, d, r->batch, input, weight, bias, output->numbers);
  case EQUICONV_LAYER_LIFTING: return CALL(equiconv_lifting_conv, d, r->batch, input, weight, bias, output->numbers);
  case EQUICONV_LAYER_GROUP: return CALL(equiconv_group_conv, d, r->batch, input, weight, bias, output->numbers);
  case EQUICONV_LAYER_PROJECTION:
    return CALL(equiconv_projection_conv, d, r->batch, input, weight, bias, output->numbers);
  default: return CALL(equiconv_conv, d, r->batch, input, weight, bias, output->numbers);
  }
}

static equiconv_status call_vjp(const equiconv_descriptor *d, const run *r, const void *grad_output,
                                array gradients[3]) {
  void *to[3];
  for (int i = 0; i < 3; i++) to[i] = seldom(3) ? NULL : gradients[i].numbers;
  const void *input = to[1] == NULL && seldom(2) ? NULL : r->input.numbers;
  const void *weight = to[0] == NULL && seldom(2) ? NULL : r->weight.numbers;
  switch (d->layer) {
  case EQUICONV_LAYER_ISOTROPIC:
    return CALL(equiconv_isotropic_conv_vjp, d, r->batch, grad_output, input, weight, to[0], to[1], to[2]);
  case EQUICONV_LAYER_LIFTING:
    return CALL(equiconv_lifting_conv_vjp, d, r->batch, grad_output, input, weight, to[0], to[1], to[2]);
  case EQUICONV_LAYER_GROUP:
    return CALL(equiconv_group_conv_vjp, d, r->batch, grad_output, input, weight, to[0], to[1], to[2]);
  case EQUICONV_LAYER_PROJECTION:
    return CALL(equiconv_projection_conv_vjp, d, r->batch, grad_output, input, weight, to[0], to[1], to[2]);
  default: return CALL(equiconv_conv_vjp, d, r->batch, grad_output, input, weight, to[0], to[1], to[2]);
  }
}

/** The layer named by the descriptor; a plan of it gives its sizes. */
void layer_call(void) {
  const equiconv_descriptor d = descriptor_choose();
  layer of = {.descriptor = d};
  if (equiconv_plan_create(&d, &of.plan) != EQUICONV_SUCCESS) return;
  run r = {.plan = &of, .dtype = d.dtype, .batch = between(0, 2)};
  if (is_small(&of, r.batch)) {
    r.s = shapes_of(&of, r.batch);
    r.input = array_of_numbers(d.dtype, r.s.inputs, false);
    r.weight = array_of_numbers(d.dtype, r.s.weights, false);
    r.bias = array_of_numbers(d.dtype, r.s.channels, false);
    array output = results(&r, r.s.outputs);
    const bool done = is_done(&r, call_forward(&d, &r, &output), &output);
    if (done) check_finite(&r, &output, r.s.outputs);
    array gradients[3] = {results(&r, r.s.inputs), results(&r, r.s.weights), results(&r, r.s.channels)};
    if (done) call_vjp(&d, &r, output.numbers, gradients);
    for (int i = 0; i < 3; i++) array_end(&gradients[i]);
    array_end(&output);
    run_end(&r);
  }
  equiconv_plan_destroy(of.plan);
}

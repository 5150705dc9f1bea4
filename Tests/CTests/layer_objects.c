/* SPDX-License-Identifier: Apache-2.0 */
/* A layer as an object computes what a descriptor with its sizes does, and knows which shapes go together. */
#include <string.h>

#include "test.h"

static equiconv_shape shape_of(const int64_t *sizes, int32_t rank) {
  equiconv_shape shape = {rank, {0}};
  for (int32_t axis = 0; axis < rank; axis++) shape.sizes[axis] = sizes[axis];
  return shape;
}

static equiconv_shape input_shape(const equiconv_plan *plan, int64_t batch) {
  int64_t sizes[EQUICONV_MAX_RANK];
  int32_t rank = 0;
  CHECK_SUCCESS(equiconv_plan_get_input_shape(plan, batch, sizes, &rank));
  return shape_of(sizes, rank);
}

static equiconv_shape weight_shape(const equiconv_plan *plan) {
  int64_t sizes[EQUICONV_MAX_RANK];
  int32_t rank = 0;
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(plan, sizes, &rank));
  return shape_of(sizes, rank);
}

static bool is_shape(const equiconv_shape *shape, const int64_t *sizes, int32_t rank) {
  return shape->rank == rank && memcmp(shape->sizes, sizes, sizeof shape->sizes) == 0;
}

static void shapes_are_those_of_the_plan(const equiconv_layer *object, const equiconv_descriptor *d,
                                         const test_layer *layer) {
  const equiconv_shape input = input_shape(layer->plan, layer->batch), weight = weight_shape(layer->plan);
  equiconv_shape shape;
  int64_t sizes[EQUICONV_MAX_RANK], remainders[3], remainder;
  int32_t rank;
  CHECK_SUCCESS(equiconv_layer_get_output_shape(object, &input, &weight, &shape));
  CHECK_SUCCESS(equiconv_plan_get_output_shape(layer->plan, layer->batch, sizes, &rank));
  CHECK(is_shape(&shape, sizes, rank));
  CHECK_SUCCESS(equiconv_layer_get_weight_shape(object, d->out_channels, d->in_channels, d->kernel, &shape));
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(layer->plan, sizes, &rank));
  CHECK(is_shape(&shape, sizes, rank));
  CHECK_SUCCESS(equiconv_layer_get_bank_shape(object, &weight, &shape));
  CHECK_SUCCESS(equiconv_plan_get_bank_shape(layer->plan, sizes, &rank));
  CHECK(is_shape(&shape, sizes, rank));
  CHECK_SUCCESS(equiconv_layer_get_stride_remainders(object, &input, &weight, remainders));
  for (int32_t axis = 0; axis < d->dimension; axis++) {
    CHECK_SUCCESS(equiconv_plan_get_stride_remainder(layer->plan, axis, &remainder));
    CHECK(remainders[axis] == remainder);
  }
}

static void outputs_are_those_of_the_plan(const equiconv_layer *object, const test_layer *layer) {
  const equiconv_shape input = input_shape(layer->plan, layer->batch), weight = weight_shape(layer->plan);
  const equiconv_dtype dtype = layer->dtype;
  const size_t bytes = (size_t)layer->outputs * dtype_size(layer->dtype);
  void *output = guarded_alloc(bytes);
  equiconv_plan *plan = NULL;
  equiconv_weight *prepared = NULL;
  layer_forward(layer);
  for (int time = 0; time < 2; time++) {
    CHECK_SUCCESS(
        equiconv_layer_forward(object, dtype, &input, layer->input, &weight, layer->weight, layer->bias, output));
    CHECK(memcmp(output, layer->output, bytes) == 0);
  }
  CHECK_SUCCESS(equiconv_layer_create_plan(object, dtype, &input, &weight, &plan));
  memset(output, 0, bytes);
  CHECK_SUCCESS(equiconv_plan_forward(plan, layer->batch, layer->input, layer->weight, layer->bias, output));
  CHECK(memcmp(output, layer->output, bytes) == 0);
  CHECK_SUCCESS(equiconv_plan_prepare(plan, layer->weight, &prepared));
  memset(output, 0, bytes);
  CHECK_SUCCESS(
      equiconv_layer_forward_prepared(object, dtype, &input, layer->input, &weight, prepared, layer->bias, output));
  CHECK(memcmp(output, layer->output, bytes) == 0);
  equiconv_weight_destroy(prepared);
  equiconv_plan_destroy(plan);
  CHECK(guards_intact(output));
  guarded_free(output);
}

static void gradients_are_those_of_the_plan(const equiconv_layer *object, const test_layer *layer) {
  const equiconv_shape input = input_shape(layer->plan, layer->batch), weight = weight_shape(layer->plan);
  const size_t size = dtype_size(layer->dtype);
  const int64_t counts[3] = {layer->inputs, layer->weights, layer->biases};
  void *own[3], *planned[3];
  for (int i = 0; i < 3; i++) {
    own[i] = guarded_alloc((size_t)counts[i] * size);
    planned[i] = guarded_alloc((size_t)counts[i] * size);
  }
  CHECK_SUCCESS(equiconv_plan_input_gradient(layer->plan, layer->batch, layer->output, layer->weight, planned[0]));
  CHECK_SUCCESS(equiconv_plan_weight_gradient(layer->plan, layer->batch, layer->output, layer->input, planned[1]));
  CHECK_SUCCESS(equiconv_plan_bias_gradient(layer->plan, layer->batch, layer->output, planned[2]));
  CHECK_SUCCESS(equiconv_layer_vjp(object, layer->dtype, &input, &weight, layer->output, layer->input, layer->weight,
                                   own[0], own[1], own[2]));
  for (int i = 0; i < 3; i++) {
    CHECK(memcmp(own[i], planned[i], (size_t)counts[i] * size) == 0);
    guarded_free(own[i]);
    guarded_free(planned[i]);
  }
}

static void bank_and_explanation_are_those_of_the_plan(const equiconv_layer *object, const test_layer *layer) {
  const equiconv_shape input = input_shape(layer->plan, layer->batch), weight = weight_shape(layer->plan);
  int64_t sizes[EQUICONV_MAX_RANK];
  int32_t rank;
  CHECK_SUCCESS(equiconv_plan_get_bank_shape(layer->plan, sizes, &rank));
  const size_t bytes = (size_t)shape_count(sizes) * dtype_size(layer->dtype);
  void *own = guarded_alloc(bytes), *planned = guarded_alloc(bytes);
  CHECK_SUCCESS(equiconv_layer_expand(object, layer->dtype, &weight, layer->weight, own));
  CHECK_SUCCESS(equiconv_plan_expand(layer->plan, layer->weight, planned));
  CHECK(memcmp(own, planned, bytes) == 0);
  guarded_free(own);
  guarded_free(planned);
  equiconv_explanation first = EQUICONV_EXPLANATION_INIT, second = EQUICONV_EXPLANATION_INIT;
  CHECK_SUCCESS(equiconv_layer_explain(object, layer->dtype, EQUICONV_PASS_FORWARD, &input, &weight, &first));
  CHECK_SUCCESS(equiconv_plan_explain(layer->plan, EQUICONV_PASS_FORWARD, layer->batch, &second));
  CHECK(first.operations == second.operations && first.algorithm == second.algorithm);
}

/** All layers of a group, with a stride that leaves something over. */
static void every_layer_of(int number) {
  equiconv_group *group = make_group(number);
  test_random random = {(uint64_t)number};
  for (int32_t kind = 0; kind < 4; kind++) {
    equiconv_descriptor d = make_descriptor(group, kind, kind % 2, 2, 3, 6, 3);
    for (int axis = 0; axis < 3; axis++) {
      d.stride[axis] = 2;
      d.padding[axis] = kind % 2 == 0 ? EQUICONV_PADDING_SAME : 1;
    }
    test_layer layer = layer_make(&d, 2, &random);
    equiconv_layer *object = NULL;
    equiconv_descriptor sizeless = d;
    sizeless.in_channels = sizeless.out_channels = sizeless.spatial[0] = sizeless.kernel[0] = -1;
    CHECK_SUCCESS(equiconv_layer_create(&sizeless, &object));
    shapes_are_those_of_the_plan(object, &d, &layer);
    outputs_are_those_of_the_plan(object, &layer);
    gradients_are_those_of_the_plan(object, &layer);
    bank_and_explanation_are_those_of_the_plan(object, &layer);
    equiconv_layer_destroy(object);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

static void a_layer_of_pixels_computes_what_its_plans_do(void) {
  every_layer_of(GROUP_REFLECTION);
  every_layer_of(GROUP_C4);
  every_layer_of(GROUP_C8);
  every_layer_of(GROUP_SCALING2);
}

static void a_layer_of_a_basis_outlives_group_and_basis(void) {
  equiconv_group *group = make_group(GROUP_C8);
  test_random random = {5};
  for (int number = 1; number <= TEST_BASES; number++) {
    equiconv_basis *basis = make_basis(number, 2, 5);
    equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 2, 1, 7, 5);
    d.basis = basis;
    test_layer layer = layer_make(&d, 1, &random);
    equiconv_layer *object = NULL;
    CHECK_SUCCESS(equiconv_layer_create(&d, &object));
    equiconv_basis_destroy(basis);
    shapes_are_those_of_the_plan(object, &d, &layer);
    outputs_are_those_of_the_plan(object, &layer);
    equiconv_layer_destroy(object);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

/* Layers that differ have plans of their own, also where their shapes are the same. */
static void layers_of_equal_shapes_do_not_mix(void) {
  equiconv_group *group = make_group(GROUP_C4);
  const int64_t sizes[2][4] = {{1, 1, 3, 3}, {1, 1, 3, 3}};
  const equiconv_shape input = shape_of(sizes[0], 4), weight = shape_of(sizes[1], 4);
  static const float image[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, kernel[9] = {0, 0, 0, 0, 1, 0, 0, 0, 2};
  equiconv_layer *objects[2] = {NULL, NULL};
  float outputs[2][9];
  for (int i = 0; i < 2; i++) {
    equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_ISOTROPIC, EQUICONV_FLOAT32, 1, 1, 3, 3);
    d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
    d.padding_mode = i == 0 ? EQUICONV_PADDING_ZEROS : EQUICONV_PADDING_CIRCULAR;
    CHECK_SUCCESS(equiconv_layer_create(&d, &objects[i]));
  }
  for (int time = 0; time < 3; time++) {
    for (int i = 0; i < 2; i++) {
      CHECK_SUCCESS(
          equiconv_layer_forward(objects[i], EQUICONV_FLOAT32, &input, image, &weight, kernel, NULL, outputs[i]));
    }
    /* The corners read 0.5 (1 + 2 * ... ) of their diagonal neighbours, which circular padding finds. */
    CHECK(outputs[0][0] == 1 + 0.5F * 5);
    CHECK(outputs[1][0] == 1 + 0.5F * (5 + 6 + 8 + 9));
  }
  for (int i = 0; i < 2; i++) equiconv_layer_destroy(objects[i]);
  equiconv_group_destroy(group);
}

/* ---- Wrong calls ---- */

static void refuses(equiconv_status status, equiconv_status expected, const char *text, int line) {
  test_status((int32_t)status, (int32_t)expected, text, __FILE__, line);
  test_check(strstr(equiconv_last_error_message(), text) != NULL, equiconv_last_error_message(), __FILE__, line);
}
#define REFUSES(expected, text, call) refuses(call, expected, text, __LINE__)

static void wrong_layers_are_refused(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_layer *object = NULL;
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 4, 3);
  REFUSES(EQUICONV_ERROR_NULL_POINTER, "layer is NULL", equiconv_layer_create(&d, NULL));
  REFUSES(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL", equiconv_layer_create(NULL, &object));
  d.struct_size -= 1;
  REFUSES(EQUICONV_ERROR_STRUCT_SIZE, "struct_size", equiconv_layer_create(&d, &object));
  d.struct_size += 1;
  d.stride[1] = 0;
  REFUSES(EQUICONV_ERROR_INVALID_STRIDE, "stride[1] is 0", equiconv_layer_create(&d, &object));
  d.stride[1] = 1;
  d.padding[0] = -2;
  REFUSES(EQUICONV_ERROR_INVALID_PADDING, "padding[0] is -2", equiconv_layer_create(&d, &object));
  d.padding[0] = 0;
  d.algorithm = 9;
  REFUSES(EQUICONV_ERROR_INVALID_ENUM, "algorithm is 9", equiconv_layer_create(&d, &object));
  CHECK(object == NULL);
  equiconv_group_destroy(group);
}

static void wrong_shapes_are_refused(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_layer *object = NULL;
  const equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 4, 3);
  CHECK_SUCCESS(equiconv_layer_create(&d, &object));
  equiconv_shape input = {5, {1, 2, 4, 8, 8}}, weight = {5, {3, 2, 4, 3, 3}}, output = {-7, {0}};
#define OUTPUT equiconv_layer_get_output_shape(object, &input, &weight, &output)
  REFUSES(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
          equiconv_layer_get_output_shape(object, NULL, &weight, &output));
  REFUSES(EQUICONV_ERROR_NULL_POINTER, "layer is NULL",
          equiconv_layer_get_output_shape(NULL, &input, &weight, &output));
  input.rank = 7;
  REFUSES(EQUICONV_ERROR_INVALID_SIZE, "input is of 7 axes", OUTPUT);
  input.rank = 4;
  REFUSES(EQUICONV_ERROR_DIMENSION_MISMATCH, "input is of shape (1, 2, 4, 8)", OUTPUT);
  input.rank = 5;
  input.sizes[2] = 3;
  REFUSES(EQUICONV_ERROR_INVALID_SIZE, "|H| = 4", OUTPUT);
  input.sizes[2] = 4;
  input.sizes[0] = -1;
  REFUSES(EQUICONV_ERROR_INVALID_SIZE, "batch is -1", OUTPUT);
  input.sizes[0] = INT64_MAX;
  REFUSES(EQUICONV_ERROR_SIZE_OVERFLOW, "batch", OUTPUT);
  input.sizes[0] = 1;
  weight.sizes[1] = 7;
  REFUSES(EQUICONV_ERROR_INVALID_SIZE, "weight is of shape (3, 7, 4, 3, 3)", OUTPUT);
  weight.sizes[1] = 2;
  weight.sizes[3] = 9;
  REFUSES(EQUICONV_ERROR_KERNEL_TOO_LARGE, "kernel[0] is 9", OUTPUT);
  CHECK(output.rank == -7);
  REFUSES(EQUICONV_ERROR_INVALID_ENUM, "dtype is 5",
          equiconv_layer_forward(object, 5, &input, &output, &weight, &output, NULL, &output));
  equiconv_layer_destroy(object);
  equiconv_layer_destroy(NULL);
  equiconv_group_destroy(group);
}

int main(void) {
  RUN(a_layer_of_pixels_computes_what_its_plans_do);
  RUN(a_layer_of_a_basis_outlives_group_and_basis);
  RUN(layers_of_equal_shapes_do_not_mix);
  RUN(wrong_layers_are_refused);
  RUN(wrong_shapes_are_refused);
  return test_result();
}

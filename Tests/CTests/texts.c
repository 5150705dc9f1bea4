/* SPDX-License-Identifier: Apache-2.0 */
/* A text says what a handle was made of: it makes the same handle again, and nothing but a text makes any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* ---- Texts of handles ---- */

typedef char *text;

/** The text that `f` of this handle writes, for free(). */
#define TEXT_OF(f, handle) text_of(f, handle)

static text text_of(equiconv_status (*serialize)(const void *, size_t, char *, size_t *), const void *handle) {
  size_t length = 0, again = 0;
  CHECK_SUCCESS(serialize(handle, 0, NULL, &length));
  text result = malloc(length + 1);
  CHECK_STATUS(serialize(handle, length, result, &again), EQUICONV_ERROR_INVALID_SIZE);
  CHECK_SUCCESS(serialize(handle, length + 1, result, &again));
  CHECK(again == length && strlen(result) == length);
  return result;
}

static equiconv_status layer_text(const void *handle, size_t capacity, char *bytes, size_t *length) {
  return equiconv_layer_serialize(handle, capacity, bytes, length);
}
static equiconv_status group_text(const void *handle, size_t capacity, char *bytes, size_t *length) {
  return equiconv_group_serialize(handle, capacity, bytes, length);
}
static equiconv_status basis_text(const void *handle, size_t capacity, char *bytes, size_t *length) {
  return equiconv_basis_serialize(handle, capacity, bytes, length);
}
static equiconv_status group_basis_text(const void *handle, size_t capacity, char *bytes, size_t *length) {
  return equiconv_group_basis_serialize(handle, capacity, bytes, length);
}

/** The group that a text makes, NULL for a text that makes none. */
static equiconv_group *group_of(const char *bytes) {
  equiconv_group *group = NULL;
  CHECK_SUCCESS(equiconv_group_deserialize(bytes, strlen(bytes), &group));
  return group;
}

/* ---- Round trips ---- */

static void groups_come_back_bit_for_bit(void) {
  for (int number = 0; number < ALL_GROUPS; number++) {
    equiconv_group *group = make_group(number);
    const text bytes = TEXT_OF(group_text, group);
    equiconv_group *again = group_of(bytes);
    const text same = TEXT_OF(group_text, again);
    CHECK(strcmp(bytes, same) == 0);
    CHECK(strcmp(equiconv_group_name(group), equiconv_group_name(again)) == 0);
    const size_t count =
        (size_t)(equiconv_group_order(group) * equiconv_group_dimension(group) * equiconv_group_dimension(group));
    double *matrices = malloc(2 * count * sizeof *matrices);
    CHECK_SUCCESS(equiconv_group_get_matrices(group, matrices));
    CHECK_SUCCESS(equiconv_group_get_matrices(again, matrices + count));
    CHECK(memcmp(matrices, matrices + count, count * sizeof *matrices) == 0);
    free(matrices);
    free(bytes);
    free(same);
    equiconv_group_destroy(again);
    equiconv_group_destroy(group);
  }
}

static void groups_of_matrices_come_back_bit_for_bit(void) {
  double matrices[2][32];
  equiconv_group *c8 = make_group(GROUP_C8), *group = NULL;
  CHECK_SUCCESS(equiconv_group_get_matrices(c8, matrices[0]));
  matrices[0][5] += 1e-8; /* near enough to be a group, and no named one */
  CHECK_SUCCESS(equiconv_group_create_from_matrices(2, 8, matrices[0], &group));
  CHECK_SUCCESS(equiconv_group_get_matrices(group, matrices[0]));
  const text bytes = TEXT_OF(group_text, group);
  equiconv_group *again = group_of(bytes);
  CHECK_SUCCESS(equiconv_group_get_matrices(again, matrices[1]));
  CHECK(memcmp(matrices[0], matrices[1], sizeof matrices[0]) == 0);
  free(bytes);
  equiconv_group_destroy(again);
  equiconv_group_destroy(group);
  equiconv_group_destroy(c8);
}

static void bases_come_back(void) {
  static const double point[2] = {0.4, -1.3};
  for (int number = 1; number <= TEST_BASES; number++) {
    equiconv_basis *basis = make_basis(number, 2, 5), *again = NULL;
    const text bytes = TEXT_OF(basis_text, basis);
    CHECK_SUCCESS(equiconv_basis_deserialize(bytes, strlen(bytes), &again));
    const text same = TEXT_OF(basis_text, again);
    CHECK(strcmp(bytes, same) == 0);
    CHECK(equiconv_basis_count(basis) == equiconv_basis_count(again));
    double values[2][64] = {{0}};
    CHECK_SUCCESS(equiconv_basis_sample(basis, 1, point, values[0]));
    CHECK_SUCCESS(equiconv_basis_sample(again, 1, point, values[1]));
    CHECK(memcmp(values[0], values[1], (size_t)equiconv_basis_count(basis) * sizeof **values) == 0);
    free(bytes);
    free(same);
    equiconv_basis_destroy(again);
    equiconv_basis_destroy(basis);
  }
}

static void bases_on_the_group_come_back(void) {
  static const int32_t elements[2] = {0, 3};
  static const double centers[2] = {0, 2.5};
  equiconv_group_basis *made[2] = {NULL, NULL}, *again = NULL;
  CHECK_SUCCESS(equiconv_group_basis_create_localized(2, elements, &made[0]));
  CHECK_SUCCESS(equiconv_group_basis_create_bspline(2, 2, centers, 0.1, &made[1]));
  static const char *const texts[2] = {"equiconv-group-basis/1 localized([0,3])",
                                       "equiconv-group-basis/1 bspline(2,0.1,[0.0,2.5])"};
  for (int i = 0; i < 2; i++) {
    const text bytes = TEXT_OF(group_basis_text, made[i]);
    CHECK(strcmp(bytes, texts[i]) == 0);
    CHECK_SUCCESS(equiconv_group_basis_deserialize(bytes, strlen(bytes), &again));
    CHECK(equiconv_group_basis_count(again) == 2);
    equiconv_group_basis_destroy(again);
    equiconv_group_basis_destroy(made[i]);
    free(bytes);
  }
}

/** Whether a layer and the one that its text makes give the same bits. */
static void comes_back(const equiconv_descriptor *d) {
  test_random random = {9};
  test_layer layer = layer_make(d, 1, &random);
  equiconv_layer *object = NULL, *again = NULL;
  CHECK_SUCCESS(equiconv_layer_create(d, &object));
  const text bytes = TEXT_OF(layer_text, object);
  CHECK_SUCCESS(equiconv_layer_deserialize(bytes, strlen(bytes), &again));
  const text same = TEXT_OF(layer_text, again);
  CHECK(strcmp(bytes, same) == 0);
  equiconv_shape input = {0, {0}}, weight = {0, {0}};
  CHECK_SUCCESS(equiconv_plan_get_input_shape(layer.plan, 1, input.sizes, &input.rank));
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(layer.plan, weight.sizes, &weight.rank));
  const size_t size = (size_t)layer.outputs * dtype_size(layer.dtype);
  void *output = guarded_alloc(size);
  layer_forward(&layer);
  CHECK_SUCCESS(
      equiconv_layer_forward(again, layer.dtype, &input, layer.input, &weight, layer.weight, layer.bias, output));
  CHECK(memcmp(output, layer.output, size) == 0);
  guarded_free(output);
  equiconv_layer_destroy(object);
  equiconv_layer_destroy(again);
  layer_free(&layer);
  free(bytes);
  free(same);
}

static void layers_come_back_and_give_the_same_bits(void) {
  for (int number = 0; number < ALL_GROUPS; number++) {
    equiconv_group *group = make_group(number);
    for (int32_t kind = 0; kind < 4; kind++) {
      equiconv_descriptor d = make_descriptor(group, kind, EQUICONV_FLOAT32, 1, 2, 4, 3);
      for (int axis = 0; axis < 3; axis++) d.padding[axis] = kind == 1 ? EQUICONV_PADDING_SAME : 1;
      d.padding_mode = kind % 4;
      comes_back(&d);
    }
    equiconv_group_destroy(group);
  }
}

static void layers_of_bases_between_quotients_come_back(void) {
  static const int32_t elements[2] = {0, 4};
  equiconv_group *group = make_group(GROUP_C8);
  equiconv_subgroup *stabilizer = make_subgroup(group, 2, elements);
  for (int number = 0; number <= TEST_BASES; number++) {
    equiconv_basis *basis = make_basis(number, 2, 5);
    equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GENERAL, EQUICONV_FLOAT64, 2, 2, 6, 5);
    d.basis = basis;
    d.input_stabilizer = d.output_stabilizer = stabilizer;
    d.quadrature = 1;
    d.channel_groups = 2;
    d.interpolation = EQUICONV_INTERPOLATION_BICUBIC;
    comes_back(&d);
    equiconv_basis_destroy(basis);
  }
  equiconv_subgroup_destroy(stabilizer);
  equiconv_group_destroy(group);
}

/* ---- The words ---- */

static const char *const plain =
    "equiconv-layer/1 group=cyclic(4) input=plane output=group stride=[1,1] padding=[same,same] dilation=[1,1] "
    "padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full quadrature=no "
    "channel_groups=1";

static void a_layer_is_spelled_as_documented(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_layer *object = NULL;
  equiconv_descriptor d = EQUICONV_DESCRIPTOR_INIT;
  d.group = group;
  d.layer = EQUICONV_LAYER_LIFTING;
  d.dimension = 2;
  d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
  CHECK_SUCCESS(equiconv_layer_create(&d, &object));
  const text bytes = TEXT_OF(layer_text, object);
  CHECK(strcmp(bytes, plain) == 0);
  free(bytes);
  equiconv_layer_destroy(object);
  equiconv_group_destroy(group);
}

/* Each option has a place of its own in the text. */
static void texts_differ_where_layers_do(void) {
  enum { CHANGES = 10 };
  equiconv_group *groups[2] = {make_group(GROUP_C4), make_group(GROUP_D4)};
  equiconv_basis *basis = make_basis(2, 2, 5);
  text texts[CHANGES];
  for (int change = 0; change < CHANGES; change++) {
    equiconv_descriptor d = make_descriptor(groups[change == 1], EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 5, 5);
    if (change == 2) d.layer = EQUICONV_LAYER_PROJECTION;
    if (change == 3) d.stride[0] = d.stride[1] = 2;
    if (change == 4) d.padding[0] = d.padding[1] = 1;
    if (change == 5) d.dilation[0] = d.dilation[1] = 2;
    if (change == 6) d.padding_mode = EQUICONV_PADDING_CIRCULAR;
    if (change == 7) d.algorithm = EQUICONV_ALGORITHM_FOURIER;
    if (change == 8) d.basis = basis;
    if (change == 9) d.quadrature = 1;
    equiconv_layer *object = NULL;
    CHECK_SUCCESS(equiconv_layer_create(&d, &object));
    texts[change] = TEXT_OF(layer_text, object);
    equiconv_layer_destroy(object);
    for (int other = 0; other < change; other++) CHECK(strcmp(texts[change], texts[other]) != 0);
  }
  for (int change = 0; change < CHANGES; change++) free(texts[change]);
  equiconv_basis_destroy(basis);
  for (int i = 0; i < 2; i++) equiconv_group_destroy(groups[i]);
}

/* ---- What is no text ---- */

static void check_refused(equiconv_status status, equiconv_status wanted, const char *expected, const char *bytes,
                          int line) {
  test_status((int32_t)status, (int32_t)wanted, bytes, __FILE__, line);
  test_check(strstr(equiconv_last_error_message(), expected) != NULL, equiconv_last_error_message(), __FILE__, line);
}

static equiconv_status group_status(const char *bytes) {
  equiconv_group *group = NULL;
  const equiconv_status status = equiconv_group_deserialize(bytes, strlen(bytes), &group);
  CHECK((status == EQUICONV_SUCCESS) == (group != NULL));
  equiconv_group_destroy(group);
  return status;
}

static equiconv_status basis_status(const char *bytes) {
  equiconv_basis *basis = NULL;
  const equiconv_status status = equiconv_basis_deserialize(bytes, strlen(bytes), &basis);
  CHECK((status == EQUICONV_SUCCESS) == (basis != NULL));
  equiconv_basis_destroy(basis);
  return status;
}

static equiconv_status layer_status(const char *bytes, size_t length) {
  equiconv_layer *object = NULL;
  const equiconv_status status = equiconv_layer_deserialize(bytes, length, &object);
  CHECK((status == EQUICONV_SUCCESS) == (object != NULL));
  equiconv_layer_destroy(object);
  return status;
}

#define NO_GROUP(bytes, expected) WRONG_GROUP(EQUICONV_ERROR_INVALID_TEXT, bytes, expected)
#define WRONG_GROUP(status, bytes, expected) check_refused(group_status(bytes), status, expected, bytes, __LINE__)
#define NO_BASIS(bytes, expected) \
  check_refused(basis_status(bytes), EQUICONV_ERROR_INVALID_TEXT, expected, bytes, __LINE__)
#define WRONG_BASIS(bytes, expected) \
  check_refused(basis_status(bytes), EQUICONV_ERROR_INVALID_BASIS, expected, bytes, __LINE__)

static void groups_that_do_not_exist_are_refused_by_name(void) {
  NO_GROUP("", "text is ended at byte 0");
  NO_GROUP("equiconv-group/2 cyclic(4)", "expected version 1 of equiconv-group");
  NO_GROUP("equiconv-basis/1 cyclic(4)", "expected \"equiconv-group/1");
  NO_GROUP("equiconv-group/1 cyclc(4)", "\"cyclc(4)\" at byte 17, expected the name of a group");
  NO_GROUP("equiconv-group/1 cyclic(4", "text is ended at byte 25, expected \")\"");
  NO_GROUP("equiconv-group/1 cyclic(4) ", "expected the end of the text");
  NO_GROUP("equiconv-group/1 cyclic()", "expected a whole number");
  WRONG_GROUP(EQUICONV_ERROR_INVALID_ORDER, "equiconv-group/1 cyclic(0)", "1...4096");
  NO_GROUP("equiconv-group/1 cyclic(04)", "as this value is written");
  NO_GROUP("equiconv-group/1 cyclic(99999999999999999999)", "expected a whole number");
  NO_GROUP("equiconv-group/1 axial_cyclic(4,w)", "expected \"x\" or \"y\" or \"z\"");
  NO_GROUP("equiconv-group/1 scaling(2,[1.0,2])", "as this value is written");
  WRONG_GROUP(EQUICONV_ERROR_INVALID_FACTOR, "equiconv-group/1 scaling(2,[1.0,nan])", "factors[1] is nan");
  WRONG_GROUP(EQUICONV_ERROR_NOT_FINITE, "equiconv-group/1 matrices(1,[1.0,-inf])", "matrices[1]");
  NO_GROUP("equiconv-group/1 scaling(2,[1.0,0x2])", "expected");
  WRONG_GROUP(EQUICONV_ERROR_INVALID_ORDER, "equiconv-group/1 scaling(2,[])", "factors");
  WRONG_GROUP(EQUICONV_ERROR_NO_INVERSE, "equiconv-group/1 matrices(1,[1.0,2.0])", "matrices[1] is singular");
  WRONG_GROUP(EQUICONV_ERROR_INVALID_DIMENSION, "equiconv-group/1 matrices(4,[1.0])", "1, 2 or 3");
  WRONG_GROUP(EQUICONV_ERROR_INVALID_ORDER, "equiconv-group/1 matrices(2,[1.0])", "expected");
}

static void bases_that_do_not_exist_are_refused_by_name(void) {
  NO_BASIS("equiconv-basis/1 splines([5,5],3,1.0)", "the name of a basis");
  NO_BASIS("equiconv-basis/1 bspline([5,5,5,5],3,1.0)", "a list of at most 3 items");
  WRONG_BASIS("equiconv-basis/1 bspline([],3,1.0)", "expected");
  WRONG_BASIS("equiconv-basis/1 bspline([5,5],7,1.0)", "degree is 7");
  WRONG_BASIS("equiconv-basis/1 bspline([5,5],3,1e999)", "scale is inf");
  NO_BASIS("equiconv-basis/1 bspline([5,5],3,e)", "expected a number");
  WRONG_BASIS("equiconv-basis/1 bspline([5,5],3,-1.0)", "scale is -1.0");
  WRONG_BASIS("equiconv-basis/1 bspline([100000,100000],3,1.0)", "extents");
  NO_BASIS("equiconv-basis/1 bspline_at([5,5],3,1.0,[0.0,0.0,0.0])", "2 coordinates for each");
  NO_BASIS("equiconv-basis/1 bspline_at([5,5],3,1.0,[-0.0,0.0])", "as this value is written");
  NO_BASIS("equiconv-basis/1 pixel([5,5],cubic)", "\"bilinear\" or \"bicubic\"");
  WRONG_BASIS("equiconv-basis/1 harmonic_rings(5,0.65,[1.0],[1,2])", "frequencies");
  WRONG_BASIS("equiconv-basis/1 circular_harmonics(0,all)", "extent is 0");
}

/** The plain text of a layer with a part replaced, and where the result differs from a layer. */
static void is_refused(const char *old, const char *new, equiconv_status expected, const char *message, int line) {
  char bytes[512];
  const char *place = strstr(plain, old);
  CHECK(place != NULL);
  snprintf(bytes, sizeof bytes, "%.*s%s%s", (int)(place - plain), plain, new, place + strlen(old));
  test_status((int32_t)layer_status(bytes, strlen(bytes)), (int32_t)expected, bytes, __FILE__, line);
  test_check(strstr(equiconv_last_error_message(), message) != NULL, equiconv_last_error_message(), __FILE__, line);
}
#define REPLACED(old, new, message) is_refused(old, new, EQUICONV_ERROR_INVALID_TEXT, message, __LINE__)

static void layers_that_are_not_spelled_right_are_refused_by_name(void) {
  REPLACED("layer/1", "layer/0", "expected version 1 of equiconv-layer");
  REPLACED("layer/1 ", "layer/1", "expected \" \"");
  REPLACED("stride=", "strides=", "\"strides=[1,1] padding=");
  REPLACED("stride=[1,1] ", "", "expected \"stride=\"");
  REPLACED("stride=[1,1]", "stride=[1]", "2 numbers, as the group acts on 2 axes");
  REPLACED("stride=[1,1]", "stride=[1,1,1,1]", "a list of at most 3 items");
  REPLACED("stride=[1,1]", "stride=[+1,1]", "expected a whole number");
  REPLACED("[same,same]", "[-1,-1]", "as this value is written");
  REPLACED("input=plane", "input=quotient([0,1,2,3])", "as this value is written");
  REPLACED("input=plane", "input=sphere", "\"plane\", \"group\" or");
  REPLACED("zeros", "sevens", "\"zeros\" or \"circular\"");
  REPLACED("auto", "best", "\"auto\" or \"direct\"");
  REPLACED("basis=none", "basis=", "the name of a basis");
  REPLACED("channel_groups=1", "channel_groups=many", "expected a whole number");
  REPLACED("channel_groups=1", "channel_groups=1 color=red", "expected the end of the text");
  REPLACED("cyclic(4)", "cyclic(\xC3\xA9)", "expected a whole number");
}

static void layers_that_do_not_exist_are_refused_as_by_their_creator(void) {
  is_refused("stride=[1,1]", "stride=[0,1]", EQUICONV_ERROR_INVALID_STRIDE, "stride[0] is 0", __LINE__);
  is_refused("[same,same]", "[-2,0]", EQUICONV_ERROR_INVALID_PADDING, "padding[0] is -2", __LINE__);
  is_refused("input=plane", "input=quotient([0,1])", EQUICONV_ERROR_NOT_A_SUBGROUP, "input_stabilizer", __LINE__);
  is_refused("group_basis=full", "group_basis=localized([0])", EQUICONV_ERROR_INVALID_BASIS, "group_basis", __LINE__);
  is_refused("basis=none", "basis=bspline([5],3,1.0)", EQUICONV_ERROR_INVALID_BASIS, "basis is", __LINE__);
}

/* Every text cut short, and with every byte replaced, is refused or is a layer with that very text. */
static void no_text_crashes(void) {
  const size_t length = strlen(plain);
  char bytes[512];
  for (size_t end = 0; end < length; end++) CHECK(layer_status(plain, end) == EQUICONV_ERROR_INVALID_TEXT);
  for (size_t place = 0; place < length; place++) {
    for (int byte = 0; byte < 256; byte += 3) {
      memcpy(bytes, plain, length);
      bytes[place] = (char)byte;
      (void)layer_status(bytes, length);
    }
  }
  CHECK(layer_status(plain, length) == EQUICONV_SUCCESS);
}

static void texts_of_no_size_are_refused(void) {
  equiconv_layer *object = NULL;
  size_t length;
  CHECK_STATUS(equiconv_layer_deserialize(plain, EQUICONV_MAX_TEXT + 1, &object), EQUICONV_ERROR_INVALID_TEXT);
  CHECK_STATUS(equiconv_layer_deserialize(plain, SIZE_MAX, &object), EQUICONV_ERROR_INVALID_TEXT);
  CHECK_STATUS(equiconv_layer_deserialize(NULL, 0, &object), EQUICONV_ERROR_NULL_POINTER);
  CHECK_STATUS(equiconv_layer_deserialize(plain, 1, NULL), EQUICONV_ERROR_NULL_POINTER);
  CHECK_STATUS(equiconv_layer_serialize(NULL, 0, NULL, &length), EQUICONV_ERROR_NULL_POINTER);
  CHECK_STATUS(equiconv_layer_serialize(NULL, 0, NULL, NULL), EQUICONV_ERROR_NULL_POINTER);
  CHECK(object == NULL);
}

int main(void) {
  RUN(groups_come_back_bit_for_bit);
  RUN(groups_of_matrices_come_back_bit_for_bit);
  RUN(bases_come_back);
  RUN(bases_on_the_group_come_back);
  RUN(layers_come_back_and_give_the_same_bits);
  RUN(layers_of_bases_between_quotients_come_back);
  RUN(a_layer_is_spelled_as_documented);
  RUN(texts_differ_where_layers_do);
  RUN(groups_that_do_not_exist_are_refused_by_name);
  RUN(bases_that_do_not_exist_are_refused_by_name);
  RUN(layers_that_are_not_spelled_right_are_refused_by_name);
  RUN(layers_that_do_not_exist_are_refused_as_by_their_creator);
  RUN(no_text_crashes);
  RUN(texts_of_no_size_are_refused);
  return test_result();
}

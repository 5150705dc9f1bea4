/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "wrong.h"

static void wrong_named_groups(void) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_trivial(2, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_cyclic(4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_dihedral(4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_reflection(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_octahedral(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_full_octahedral(NULL));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 0", equiconv_group_create_trivial(0, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 4", equiconv_group_create_trivial(4, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "-2147483648", equiconv_group_create_trivial(INT32_MIN, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 0", equiconv_group_create_cyclic(0, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 4097", equiconv_group_create_cyclic(4097, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 9223372036854775807", equiconv_group_create_cyclic(INT64_MAX, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is -1", equiconv_group_create_dihedral(-1, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 2049", equiconv_group_create_dihedral(2049, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is -9223372036854775808",
        equiconv_group_create_dihedral(INT64_MIN, &out.group));
}

static void wrong_axial_groups(void) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_tetrahedral(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_pyritohedral(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_icosahedral(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_full_icosahedral(NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_axial_cyclic(4, EQUICONV_AXIS_Z, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_axial_dihedral(4, EQUICONV_AXIS_Z, NULL));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "axis is 3", equiconv_group_create_axial_cyclic(4, 3, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "axis is -1", equiconv_group_create_axial_dihedral(4, -1, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 4097",
        equiconv_group_create_axial_cyclic(4097, EQUICONV_AXIS_X, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is 0", equiconv_group_create_axial_dihedral(0, EQUICONV_AXIS_X, &out.group));
}

static void wrong_factors(void) {
  static const double factors[3] = {1, 2, 4}, equal[3] = {1, 2, 2}, shifted[2] = {2, 1}, huge[2] = {1, 1e300};
  const double nan[2] = {1, NAN};
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_scaling(2, 3, factors, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "factors is NULL", equiconv_group_create_scaling(2, 3, NULL, &out.group));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "factors is NULL", equiconv_group_create_similarity(4, 3, NULL, &out.group));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "factors is 0x",
        equiconv_group_create_scaling(2, 1, (const double *)((uintptr_t)factors + 4), &out.group));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 4", equiconv_group_create_scaling(4, 3, factors, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "count is 0", equiconv_group_create_scaling(2, 0, factors, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "count is 9223372036854775807",
        equiconv_group_create_similarity(2, INT64_MAX, factors, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "n is -1", equiconv_group_create_similarity(-1, 3, factors, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "factors is 3", equiconv_group_create_similarity(2048, 3, factors, &out.group));
  WRONG(EQUICONV_ERROR_DUPLICATE_ELEMENT, "factors[2]", equiconv_group_create_scaling(1, 3, equal, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_FACTOR, "factors[0] is 2", equiconv_group_create_scaling(1, 2, shifted, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_FACTOR, "factors[1]", equiconv_group_create_scaling(1, 2, huge, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_FACTOR, "factors[1] is nan", equiconv_group_create_similarity(1, 2, nan, &out.group));
}

static void wrong_matrices(void) {
  static const double rotation[4] = {0, -1, 1, 0};
  static const double twice[8] = {1, 0, 0, 1, 1, 0, 0, 1};
  static const double singular[8] = {1, 0, 0, 1, 1, 0, 0, 0};
  static const double half[8] = {1, 0, 0, 1, 0, -1, 1, 0};
  static const double not_closed[3 * 4] = {1, 0, 0, 1, -1, 0, 0, 1, 0, 1, 1, 0};
  const double infinite[8] = {1, 0, 0, 1, 0, INFINITY, 1, 0}, nan[2] = {1, NAN};
  WRONG(EQUICONV_ERROR_NULL_POINTER, "matrices is NULL", equiconv_group_create_from_matrices(2, 1, NULL, &out.group));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_create_from_matrices(2, 1, rotation, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "matrices is 0x",
        equiconv_group_create_from_matrices(2, 1, (const double *)((uintptr_t)rotation + 4), &out.group));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 5",
        equiconv_group_create_from_matrices(5, 1, rotation, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "order is 0", equiconv_group_create_from_matrices(2, 0, rotation, &out.group));
  WRONG(EQUICONV_ERROR_INVALID_ORDER, "order is 9223372036854775807",
        equiconv_group_create_from_matrices(2, INT64_MAX, rotation, &out.group));
  WRONG(EQUICONV_ERROR_NOT_FINITE, "matrices[1][0][1]",
        equiconv_group_create_from_matrices(2, 2, infinite, &out.group));
  WRONG(EQUICONV_ERROR_NOT_FINITE, "matrices[1][0][0]", equiconv_group_create_from_matrices(1, 2, nan, &out.group));
  WRONG(EQUICONV_ERROR_IDENTITY_NOT_FIRST, "matrices[0]",
        equiconv_group_create_from_matrices(2, 1, rotation, &out.group));
  WRONG(EQUICONV_ERROR_DUPLICATE_ELEMENT, "matrices[1]", equiconv_group_create_from_matrices(2, 2, twice, &out.group));
  WRONG(EQUICONV_ERROR_NO_INVERSE, "matrices[1]", equiconv_group_create_from_matrices(2, 2, singular, &out.group));
  WRONG(EQUICONV_ERROR_NO_INVERSE, "matrices[1]", equiconv_group_create_from_matrices(2, 2, half, &out.group));
  WRONG(EQUICONV_ERROR_NOT_CLOSED, "matrices[", equiconv_group_create_from_matrices(2, 3, not_closed, &out.group));
}

static void wrong_tables(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  int32_t *odd = (int32_t *)((uintptr_t)out.indices + 1);
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_get_matrices(NULL, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "matrices is NULL", equiconv_group_get_matrices(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_get_cayley(NULL, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "cayley is NULL", equiconv_group_get_cayley(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "inverses is NULL", equiconv_group_get_inverses(c4, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "inverses is 0x", equiconv_group_get_inverses(c4, odd));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "determinants is NULL", equiconv_group_get_determinants(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weights is NULL", equiconv_group_get_quadrature_weights(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_get_axis_actions(NULL, out.indices, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "axes is NULL", equiconv_group_get_axis_actions(c4, NULL, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "signs is NULL", equiconv_group_get_axis_actions(c4, out.indices, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "axes is 0x", equiconv_group_get_axis_actions(c4, odd, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "moved is NULL", equiconv_group_get_moved_axes(c4, NULL));
  equiconv_group_destroy(c4);
}

/* Other texts are in texts.c. */
static void wrong_texts(void) {
  static const char text[] = "no group";
  WRONG(EQUICONV_ERROR_INVALID_TEXT, "text", equiconv_group_deserialize(text, sizeof text - 1, &out.group));
}

static void wrong_array_matrices(void) {
  static const double matrix[4] = {1, 0, 0, 1};
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 0", equiconv_array_matrix(0, matrix, out.numbers));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 4", equiconv_array_matrix(4, matrix, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "matrix is NULL", equiconv_array_matrix(2, NULL, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "array_matrix is NULL", equiconv_array_matrix(2, matrix, NULL));
}

static void wrong_subgroups(void) {
  static const struct {
    const char *text;
    int64_t count;
    int32_t elements[8];
  } lists[] = {{"elements is a list of 0", 0, {0}},
               {"elements is a list of -1", -1, {0}},
               {"elements is a list of 9", 9, {0}},
               {"elements is a list of 9223372036854775807", INT64_MAX, {0}},
               {"identity", 1, {1}},
               {"has 1 and 1 but not their product 2", 2, {0, 1}},
               {"0 twice", 2, {0, 0}},
               {"the element 8", 2, {0, 8}},
               {"the element -1", 2, {0, -1}},
               {"6 twice", 8, {0, 1, 2, 3, 4, 5, 6, 6}}};
  equiconv_group *d4 = make_group(GROUP_D4);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, lists[i].text,
          equiconv_subgroup_create(d4, lists[i].count, lists[i].elements, &out.subgroup));
  }
  const int32_t *identity = lists[0].elements, *odd = (const int32_t *)((uintptr_t)identity + 1);
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_subgroup_create(NULL, 1, identity, &out.subgroup));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "elements is NULL", equiconv_subgroup_create(d4, 1, NULL, &out.subgroup));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "elements is 0x", equiconv_subgroup_create(d4, 1, odd, &out.subgroup));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "subgroup is NULL", equiconv_subgroup_create(d4, 1, identity, NULL));
  equiconv_subgroup *trivial = make_subgroup(d4, 1, identity);
  WRONG(EQUICONV_ERROR_NULL_POINTER, "subgroup is NULL", equiconv_subgroup_get_elements(NULL, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "elements is NULL", equiconv_subgroup_get_elements(trivial, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "subgroup is NULL", equiconv_subgroup_get_left_cosets(NULL, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "coset is NULL", equiconv_subgroup_get_left_cosets(trivial, NULL));
  equiconv_subgroup_destroy(trivial);
  equiconv_group_destroy(d4);
}

void wrong_group_calls(void) {
  wrong_named_groups();
  wrong_axial_groups();
  wrong_factors();
  wrong_matrices();
  wrong_tables();
  wrong_array_matrices();
  wrong_texts();
  wrong_subgroups();
}

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
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 4",
        equiconv_group_create_scaling(4, 3, factors, &out.group));
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
  const int32_t half_turn[3] = {0, 2, 1}, beyond[2] = {0, 4}, negative[2] = {0, -1}, no_identity[1] = {2};
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_get_matrices(NULL, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "matrices is NULL", equiconv_group_get_matrices(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_get_cayley(NULL, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "cayley is NULL", equiconv_group_get_cayley(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "inverses is NULL", equiconv_group_get_inverses(c4, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "inverses is 0x", equiconv_group_get_inverses(c4, odd));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "determinants is NULL", equiconv_group_get_determinants(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weights is NULL", equiconv_group_get_quadrature_weights(c4, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "subgroup is NULL", equiconv_group_get_left_cosets(c4, NULL, 1, out.indices));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "coset is NULL", equiconv_group_get_left_cosets(c4, half_turn, 2, NULL));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "count is 0", equiconv_group_get_left_cosets(c4, half_turn, 0, out.indices));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "count is 9223372036854775807",
        equiconv_group_get_left_cosets(c4, half_turn, INT64_MAX, out.indices));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "2", equiconv_group_get_left_cosets(c4, half_turn, 3, out.indices));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "4", equiconv_group_get_left_cosets(c4, beyond, 2, out.indices));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "-1", equiconv_group_get_left_cosets(c4, negative, 2, out.indices));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "identity", equiconv_group_get_left_cosets(c4, no_identity, 1, out.indices));
  equiconv_group_destroy(c4);
}

void wrong_group_calls(void) {
  wrong_named_groups();
  wrong_axial_groups();
  wrong_factors();
  wrong_matrices();
  wrong_tables();
}

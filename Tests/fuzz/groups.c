/* SPDX-License-Identifier: Apache-2.0 */
/* Creators and queries of groups. */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"

enum { MOST_ORDER = 64 };

/** Orders that are allowed but make tables of many MiB are left to other tests. */
static int64_t order_between(int64_t low, int64_t high) {
  const int64_t n = size_between(low, high);
  return n > 300 && n <= 4096 ? n % 64 : n;
}

static equiconv_status create_of_factors(equiconv_group **group) {
  double factors[4] = {1, 2, 0.5, 1.4142135623730951};
  for (int i = 0; i < 4; i++) {
    if (seldom(8)) factors[i] = real();
  }
  const int64_t count = size_between(1, 4);
  const array given = array_make(sizeof factors, sizeof(double));
  memcpy(given.numbers, factors, sizeof factors);
  /* More factors than there are would be read. */
  const int64_t honest = count > 4 && count <= 4096 ? 4 : count;
  const equiconv_status status =
      seldom(2) ? CALL(equiconv_group_create_scaling, kind_between(1, 3), honest, given.numbers, group)
                : CALL(equiconv_group_create_similarity, order_between(1, 6), honest, given.numbers, group);
  array ended = given;
  array_end(&ended);
  return status;
}

/** The matrices of a group at hand, with some of them changed. */
static equiconv_status create_of_matrices(equiconv_group **group) {
  const equiconv_group *of = group_choose();
  const int64_t order = equiconv_group_order(of);
  if (of == NULL || order > MOST_ORDER) return equiconv_group_create_reflection(group);
  const int64_t d = equiconv_group_dimension(of), numbers = order * d * d;
  array matrices = array_make((size_t)numbers * sizeof(double), sizeof(double));
  LAW(equiconv_group_get_matrices(of, matrices.numbers) == EQUICONV_SUCCESS);
  for (int64_t changes = between(-3, 2); changes > 0; changes--) {
    ((double *)matrices.numbers)[between(0, numbers - 1)] = real();
  }
  array_protect(&matrices);
  const int64_t fewer = seldom(8) ? between(0, order) : order;
  const equiconv_status status =
      CALL(equiconv_group_create_from_matrices, seldom(16) ? kind_between(0, 4) % (int32_t)(d + 1) : (int32_t)d, fewer,
           seldom(32) ? NULL : matrices.numbers, group);
  array_end(&matrices);
  return status;
}

static equiconv_status create(equiconv_group **group) {
  switch (between(0, 16)) {
  case 0: return CALL(equiconv_group_create_cyclic, 4, group);
  case 1: return CALL(equiconv_group_create_dihedral, 4, group);
  case 2: return CALL(equiconv_group_create_cyclic, order_between(1, 12), group);
  case 3: return CALL(equiconv_group_create_dihedral, order_between(1, 8), group);
  case 4: return CALL(equiconv_group_create_trivial, kind_between(1, 3), group);
  case 5: return CALL(equiconv_group_create_reflection, group);
  case 6: return CALL(equiconv_group_create_octahedral, group);
  case 7: return CALL(equiconv_group_create_full_octahedral, group);
  case 8: return CALL(equiconv_group_create_tetrahedral, group);
  case 9: return CALL(equiconv_group_create_pyritohedral, group);
  case 10:
    return seldom(4) ? CALL(equiconv_group_create_icosahedral, group) : CALL(equiconv_group_create_cyclic, 2, group);
  case 11:
    return seldom(8) ? CALL(equiconv_group_create_full_icosahedral, group)
                     : CALL(equiconv_group_create_cyclic, 8, group);
  case 12: return CALL(equiconv_group_create_axial_cyclic, order_between(1, 8), kind_between(0, 2), group);
  case 13: return CALL(equiconv_group_create_axial_dihedral, order_between(1, 4), kind_between(0, 2), group);
  case 14: return create_of_factors(group);
  case 15: return create_of_matrices(group);
  default: return CALL(equiconv_group_create_cyclic, order_between(1, 4), seldom(4) ? NULL : group);
  }
}

void group_create(void) {
  const int64_t place = between(0, GROUPS - 1);
  equiconv_group *group = NULL;
  const equiconv_status status = create(&group);
  LAW((status == EQUICONV_SUCCESS) == (group != NULL));
  if (group == NULL) return;
  equiconv_group_destroy(groups[place]);
  groups[place] = group;
}

/* ---- Queries ---- */

static void check_cayley(const equiconv_group *group, int64_t order) {
  array cayley = array_make((size_t)(order * order) * sizeof(int32_t), sizeof(int32_t));
  LAW(CALL(equiconv_group_get_cayley, group, cayley.numbers) == EQUICONV_SUCCESS);
  const int32_t *table = cayley.numbers, least = equiconv_group_is_closed(group) ? 0 : -1;
  for (int64_t i = 0; i < order * order; i++) LAW(table[i] >= least && table[i] < order);
  array inverses = array_make((size_t)order * sizeof(int32_t), sizeof(int32_t));
  LAW(CALL(equiconv_group_get_inverses, group, inverses.numbers) == EQUICONV_SUCCESS);
  for (int64_t a = 0; a < order; a++) {
    LAW(table[a] == a && table[a * order] == a);
    const int32_t inverse = ((const int32_t *)inverses.numbers)[a];
    LAW(inverse >= least && inverse < order);
    if (inverse >= 0) LAW(table[a * order + inverse] == 0 && table[inverse * order + a] == 0);
  }
  array_end(&inverses);
  array_end(&cayley);
}

static void check_numbers(const equiconv_group *group, int64_t order) {
  array numbers = array_make((size_t)order * sizeof(double), sizeof(double));
  const double *values = numbers.numbers;
  double sum = 0;
  LAW(CALL(equiconv_group_get_quadrature_weights, group, numbers.numbers) == EQUICONV_SUCCESS);
  for (int64_t a = 0; a < order; a++) sum += values[a];
  LAW(fabs(sum - 1) < 1e-9);
  LAW(CALL(equiconv_group_get_determinants, group, numbers.numbers) == EQUICONV_SUCCESS);
  for (int64_t a = 0; a < order; a++) LAW(isfinite(values[a]) && values[a] != 0);
  array_end(&numbers);
}

/** Signed permutations where an element maps the grid to itself, -1 and 0 where it does not. */
static void check_axes(const equiconv_group *group, int64_t order) {
  const int64_t d = equiconv_group_dimension(group);
  array axes = array_make((size_t)(order * d) * sizeof(int32_t), sizeof(int32_t));
  array signs = array_make((size_t)(order * d) * sizeof(int32_t), sizeof(int32_t));
  array moved = array_make((size_t)d * sizeof(int32_t), sizeof(int32_t));
  LAW(CALL(equiconv_group_get_axis_actions, group, axes.numbers, signs.numbers) == EQUICONV_SUCCESS);
  LAW(CALL(equiconv_group_get_moved_axes, group, moved.numbers) == EQUICONV_SUCCESS);
  int64_t exact = 0;
  for (int64_t g = 0; g < order; g++) {
    const int32_t *axis = (const int32_t *)axes.numbers + g * d, *sign = (const int32_t *)signs.numbers + g * d;
    int32_t seen = 0;
    for (int64_t a = 0; a < d; a++) {
      LAW((axis[a] < 0) == (axis[0] < 0) &&
          (axis[a] < 0 ? axis[a] == -1 && sign[a] == 0 : axis[a] < d && abs(sign[a]) == 1));
      if (axis[a] >= 0) seen |= 1 << axis[a];
      if (axis[a] >= 0 && (axis[a] != a || sign[a] < 0)) LAW(((const int32_t *)moved.numbers)[a] == 1);
    }
    LAW(axis[0] < 0 || seen == (1 << d) - 1);
    exact += axis[0] >= 0;
  }
  LAW((exact == order) == (equiconv_group_is_lattice(group) == 1));
  array_end(&moved);
  array_end(&signs);
  array_end(&axes);
}

/* ---- Subgroups ---- */

/** The whole group, the identity, or elements that may be a subgroup. */
static void subgroup_create(const equiconv_group *group, int64_t place) {
  int32_t elements[8];
  const int64_t order = equiconv_group_order(group), choice = between(0, 7);
  const int64_t count = choice < 2 && order <= 8 ? order : choice < 5 ? 1 : between(0, 8);
  for (int i = 0; i < 8; i++)
    elements[i] = (int32_t)(choice < 5 || i == 0 ? i : between(-1, order < 200 ? order : 200));
  equiconv_subgroup *subgroup = NULL;
  const equiconv_status status = CALL(equiconv_subgroup_create, group, count, elements, &subgroup);
  LAW((status == EQUICONV_SUCCESS) == (subgroup != NULL));
  if (subgroup == NULL) return;
  LAW(equiconv_subgroup_order(subgroup) > 0 && equiconv_subgroup_order(subgroup) <= count);
  equiconv_subgroup_destroy(subgroups[place]);
  subgroups[place] = subgroup;
}

const equiconv_subgroup *subgroup_choose(const equiconv_group *group, int64_t place) {
  place += between(0, 1);
  if (!seldom(6)) subgroup_create(group, place);
  return subgroups[place];
}

static void check_cosets(const equiconv_group *group, int64_t order) {
  const int64_t place = between(0, SUBGROUPS - 1);
  equiconv_subgroup_destroy(subgroups[place]);
  subgroups[place] = NULL;
  subgroup_create(group, place);
  const equiconv_subgroup *subgroup = subgroups[place];
  const int64_t count = equiconv_subgroup_order(subgroup);
  array cosets = array_make((size_t)order * sizeof(int32_t), sizeof(int32_t));
  array elements = array_make((size_t)count * sizeof(int32_t), sizeof(int32_t));
  if (CALL(equiconv_subgroup_get_left_cosets, subgroup, cosets.numbers) == EQUICONV_SUCCESS) {
    const int32_t *coset = cosets.numbers;
    LAW(coset[0] == 0);
    for (int64_t a = 0; a < order; a++) LAW(coset[a] >= 0 && coset[a] < order / count);
    LAW(CALL(equiconv_subgroup_get_elements, subgroup, elements.numbers) == EQUICONV_SUCCESS);
    for (int64_t i = 0; i < count; i++) LAW(coset[((const int32_t *)elements.numbers)[i]] == 0);
  } else {
    LAW(subgroup == NULL && array_is_untouched(&cosets));
  }
  array_end(&elements);
  array_end(&cosets);
}

void group_ask(void) {
  const equiconv_group *group = group_choose();
  const int64_t order = equiconv_group_order(group);
  LAW((order > 0) == (group != NULL));
  LAW(equiconv_group_name(group) != NULL);
  if (group == NULL) {
    double matrix[9];
    LAW(CALL(equiconv_group_get_matrices, group, matrix) == EQUICONV_ERROR_NULL_POINTER);
    return;
  }
  check_cayley(group, order);
  check_numbers(group, order);
  check_axes(group, order);
  check_cosets(group, order);
}

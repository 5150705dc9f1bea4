/* SPDX-License-Identifier: Apache-2.0 */
/* Creators and queries of bases of kernels and on H. */
#include <math.h>

#include "fuzz.h"

enum { MOST_POINTS = 16 };

static void choose_extents(int64_t extents[3]) {
  const int64_t extent = between(1, 5);
  for (int axis = 0; axis < 3; axis++) extents[axis] = seldom(12) ? size_between(1, 7) : extent;
}

/** A number that is mostly of use as a width, now and then any. */
static double width(void) { return seldom(12) ? real() : (double)between(1, 12) / 4; }

static equiconv_status create_placed(int32_t dimension, const int64_t *extents, equiconv_basis **basis) {
  const int64_t count = size_between(1, MOST_POINTS);
  const int64_t honest = count > MOST_POINTS && count <= 1 << 20 ? MOST_POINTS : count;
  array centers = array_make(3 * MOST_POINTS * sizeof(double), sizeof(double));
  for (int i = 0; i < 3 * MOST_POINTS; i++) ((double *)centers.numbers)[i] = i % 7 - 3 + (seldom(6) ? real() : 0);
  array_protect(&centers);
  const equiconv_status status = CALL(equiconv_basis_create_bspline_at, dimension, extents, kind_between(0, 5), width(),
                                      honest, centers.numbers, basis);
  array_end(&centers);
  return status;
}

static equiconv_status create_rings(int64_t extent, equiconv_basis **basis) {
  double radii[3] = {0, 1, 2};
  int32_t frequencies[3] = {0, 2, 4};
  for (int i = 0; i < 3; i++) {
    if (seldom(6)) radii[i] = real();
    if (seldom(6)) frequencies[i] = kind_between(0, 6);
  }
  const int64_t count = size_between(1, 3);
  return CALL(equiconv_basis_create_harmonic_rings, extent, count > 3 && count <= 1 << 20 ? 3 : count, radii,
              frequencies, width(), basis);
}

static equiconv_status create(equiconv_basis **basis) {
  const equiconv_group *of = group_choose();
  const int32_t dimension = of == NULL || seldom(10) ? kind_between(1, 3) : equiconv_group_dimension(of);
  int64_t extents[3];
  choose_extents(extents);
  switch (between(0, 7)) {
  case 0: return CALL(equiconv_basis_create_pixel, dimension, extents, kind_between(0, 2), basis);
  case 1: return CALL(equiconv_basis_create_bspline, dimension, extents, kind_between(0, 5), width(), basis);
  case 2: return CALL(equiconv_basis_create_atrous_bspline, dimension, extents, kind_between(0, 5), width(), basis);
  case 3: {
    const double radius = seldom(2) ? EQUICONV_RADIUS_DEFAULT : real();
    return CALL(equiconv_basis_create_round_bspline, dimension, extents, kind_between(0, 5), radius, basis);
  }
  case 4: return create_placed(dimension, extents, basis);
  case 5:
    return CALL(equiconv_basis_create_circular_harmonics, extents[0], seldom(4) ? INT32_MAX : kind_between(0, 6),
                basis);
  case 6: return create_rings(extents[0], basis);
  default:
    return CALL(equiconv_basis_create_gaussian_derivatives, dimension, extents, kind_between(0, 4), width(), basis);
  }
}

static void create_on_group(void) {
  const int64_t place = between(0, GROUP_BASES - 1);
  equiconv_group_basis *basis = NULL;
  equiconv_status status;
  if (seldom(2)) {
    int32_t elements[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
      if (seldom(6)) elements[i] = kind_between(-1, 12);
    }
    const int64_t count = size_between(1, 4);
    status = CALL(equiconv_group_basis_create_localized, count > 4 && count <= 4096 ? 4 : count, elements, &basis);
  } else {
    double centers[4] = {0, 1.5, 3, 4.5};
    if (seldom(4)) centers[between(0, 3)] = real();
    const int64_t count = size_between(1, 4);
    status = CALL(equiconv_group_basis_create_bspline, kind_between(0, 5), count > 4 && count <= 4096 ? 4 : count,
                  centers, width(), &basis);
  }
  LAW((status == EQUICONV_SUCCESS) == (basis != NULL));
  if (basis == NULL) return;
  equiconv_group_basis_destroy(group_bases[place]);
  group_bases[place] = basis;
}

void basis_create(void) {
  if (seldom(4)) {
    create_on_group();
    return;
  }
  const int64_t place = between(0, BASES - 1);
  equiconv_basis *basis = NULL;
  const equiconv_status status = create(&basis);
  LAW((status == EQUICONV_SUCCESS) == (basis != NULL));
  if (basis == NULL) return;
  equiconv_basis_destroy(bases[place]);
  bases[place] = basis;
}

/* ---- Queries ---- */

static void sample(const equiconv_basis *basis) {
  const int64_t functions = equiconv_basis_count(basis), points = between(0, MOST_POINTS);
  const int32_t d = equiconv_basis_dimension(basis);
  if (functions * points > 1 << 16) return;
  array at = array_make((size_t)(points * d) * sizeof(double), sizeof(double));
  for (int64_t i = 0; i < points * d; i++) ((double *)at.numbers)[i] = real();
  array_protect(&at);
  array values = array_make((size_t)(points * functions) * sizeof(double), sizeof(double));
  const equiconv_status status = CALL(equiconv_basis_sample, basis, points, at.numbers, values.numbers);
  if (status == EQUICONV_SUCCESS) {
    for (int64_t i = 0; i < points * functions; i++) LAW(isfinite(((const double *)values.numbers)[i]));
  } else {
    LAW(array_is_untouched(&values));
  }
  array_end(&values);
  array_end(&at);
}

void basis_ask(void) {
  const equiconv_basis *basis = bases[between(0, BASES - 1)];
  int64_t extents[3] = {-5, -5, -5};
  const equiconv_status status = CALL(equiconv_basis_get_extents, basis, extents);
  LAW((status == EQUICONV_SUCCESS) == (basis != NULL));
  LAW((extents[0] > 0) == (basis != NULL));
  if (basis != NULL) sample(basis);
  const equiconv_group_basis *group_basis = group_bases[between(0, GROUP_BASES - 1)];
  const equiconv_group *group = group_choose();
  if (group_basis == NULL || group == NULL) return;
  const int64_t numbers = equiconv_group_basis_count(group_basis) * equiconv_group_order(group);
  array matrix = array_make((size_t)numbers * sizeof(double), sizeof(double));
  if (CALL(equiconv_group_basis_get_matrix, group_basis, group, matrix.numbers) == EQUICONV_SUCCESS) {
    for (int64_t i = 0; i < numbers; i++) LAW(isfinite(((const double *)matrix.numbers)[i]));
  } else {
    LAW(array_is_untouched(&matrix));
  }
  array_end(&matrix);
}

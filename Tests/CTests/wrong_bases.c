/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "wrong.h"

static const int64_t five[3] = {5, 5, 5};

static void wrong_creators(void) {
  static const int64_t empty[2] = {3, 0}, huge[2] = {INT64_MAX, 2};
  const int32_t bilinear = EQUICONV_INTERPOLATION_BILINEAR, invalid = EQUICONV_ERROR_INVALID_BASIS;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "basis is NULL", equiconv_basis_create_pixel(2, five, bilinear, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "extents is NULL", equiconv_basis_create_pixel(2, NULL, bilinear, &out.basis));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is 4", equiconv_basis_create_pixel(4, five, bilinear, &out.basis));
  WRONG(EQUICONV_ERROR_INVALID_DIMENSION, "dimension is -2147483648",
        equiconv_basis_create_pixel(INT32_MIN, five, bilinear, &out.basis));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "interpolation is 3", equiconv_basis_create_pixel(2, five, 3, &out.basis));
  WRONG(invalid, "extents is [3, 0]", equiconv_basis_create_pixel(2, empty, bilinear, &out.basis));
  WRONG(invalid, "extents is [9223372036854775807, 2]", equiconv_basis_create_pixel(2, huge, bilinear, &out.basis));
  WRONG(invalid, "degree is 6", equiconv_basis_create_bspline(2, five, 6, 1, &out.basis));
  WRONG(invalid, "scale is 0.0", equiconv_basis_create_bspline(2, five, 3, 0, &out.basis));
  WRONG(invalid, "scale is nan", equiconv_basis_create_bspline(2, five, 3, NAN, &out.basis));
  WRONG(invalid, "centers has", equiconv_basis_create_bspline(2, five, 3, 1e-9, &out.basis));
  WRONG(invalid, "spacing is inf", equiconv_basis_create_atrous_bspline(2, five, 3, INFINITY, &out.basis));
  WRONG(invalid, "degree is -1", equiconv_basis_create_atrous_bspline(2, five, -1, 1, &out.basis));
  WRONG(invalid, "radius is -2.0", equiconv_basis_create_round_bspline(2, five, 3, -2, &out.basis));
  WRONG(invalid, "radius is nan", equiconv_basis_create_round_bspline(2, five, 3, NAN, &out.basis));
  WRONG(invalid, "order is 11", equiconv_basis_create_gaussian_derivatives(2, five, 11, 1, &out.basis));
  WRONG(invalid, "sigma is -1.0", equiconv_basis_create_gaussian_derivatives(2, five, 1, -1, &out.basis));
}

static void wrong_lists(void) {
  static const double centers[4] = {0, 1, NAN, 1}, radii[2] = {1, 100};
  static const int32_t frequencies[2] = {1, 4};
  const int32_t invalid = EQUICONV_ERROR_INVALID_BASIS;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "centers is NULL",
        equiconv_basis_create_bspline_at(2, five, 3, 1, 2, NULL, &out.basis));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "centers is 0x",
        equiconv_basis_create_bspline_at(2, five, 3, 1, 1, (const double *)((uintptr_t)centers + 4), &out.basis));
  WRONG(invalid, "count is 0", equiconv_basis_create_bspline_at(2, five, 3, 1, 0, centers, &out.basis));
  WRONG(invalid, "count is 9223372036854775807",
        equiconv_basis_create_bspline_at(2, five, 3, 1, INT64_MAX, centers, &out.basis));
  WRONG(invalid, "centers[1][0] is nan", equiconv_basis_create_bspline_at(2, five, 3, 1, 2, centers, &out.basis));
  WRONG(invalid, "extent is 0", equiconv_basis_create_circular_harmonics(0, 3, &out.basis));
  WRONG(invalid, "extent is 9223372036854775807", equiconv_basis_create_circular_harmonics(INT64_MAX, 3, &out.basis));
  WRONG(invalid, "highest_frequency is -1", equiconv_basis_create_circular_harmonics(5, -1, &out.basis));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "radii is NULL",
        equiconv_basis_create_harmonic_rings(5, 1, NULL, frequencies, 0.6, &out.basis));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "frequencies is NULL",
        equiconv_basis_create_harmonic_rings(5, 1, radii, NULL, 0.6, &out.basis));
  WRONG(invalid, "count is 4097", equiconv_basis_create_harmonic_rings(5, 4097, radii, frequencies, 0.6, &out.basis));
  WRONG(invalid, "radii[1] is 100", equiconv_basis_create_harmonic_rings(5, 2, radii, frequencies, 0.6, &out.basis));
  WRONG(invalid, "frequencies[0] is 4",
        equiconv_basis_create_harmonic_rings(5, 1, radii, frequencies + 1, 0.6, &out.basis));
  WRONG(invalid, "sigma is 0.1", equiconv_basis_create_harmonic_rings(5, 1, radii, frequencies, 0.1, &out.basis));
}

static void wrong_basis_queries(void) {
  static const int64_t large[2] = {4097, 1024};
  static const double point[2] = {0, 0};
  equiconv_basis *basis = make_basis(2, 2, 3), *many = NULL;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "basis is NULL", equiconv_basis_get_extents(NULL, out.shape));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "extents is NULL", equiconv_basis_get_extents(basis, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "basis is NULL", equiconv_basis_sample(NULL, 1, point, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "points is NULL", equiconv_basis_sample(basis, 1, NULL, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "values is NULL", equiconv_basis_sample(basis, 1, point, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "point_count is -1", equiconv_basis_sample(basis, -1, point, out.numbers));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "point_count is 9223372036854775807",
        equiconv_basis_sample(basis, INT64_MAX, point, out.numbers));
  CHECK_SUCCESS(equiconv_basis_create_pixel(2, large, EQUICONV_INTERPOLATION_BILINEAR, &many));
  WRONG(EQUICONV_ERROR_TOO_LARGE, "basis is 4195328 functions", equiconv_basis_sample(many, 1, point, out.numbers));
  equiconv_basis_destroy(many);
  equiconv_basis_destroy(basis);
}

static void wrong_group_bases(void) {
  static const int32_t twice[2] = {1, 1}, negative[1] = {-1}, beyond[1] = {4};
  static const double centers[2] = {0, INFINITY};
  const int32_t invalid = EQUICONV_ERROR_INVALID_BASIS;
  equiconv_group *c4 = make_group(GROUP_C4), *d4 = make_group(GROUP_D4);
  equiconv_group_basis *outside = NULL, *spline = NULL;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group_basis is NULL", equiconv_group_basis_create_localized(1, beyond, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "elements is NULL",
        equiconv_group_basis_create_localized(1, NULL, &out.group_basis));
  WRONG(invalid, "count is 0", equiconv_group_basis_create_localized(0, beyond, &out.group_basis));
  WRONG(invalid, "count is 9223372036854775807",
        equiconv_group_basis_create_localized(INT64_MAX, beyond, &out.group_basis));
  WRONG(invalid, "elements is [1, 1]", equiconv_group_basis_create_localized(2, twice, &out.group_basis));
  WRONG(invalid, "elements is [-1]", equiconv_group_basis_create_localized(1, negative, &out.group_basis));
  WRONG(invalid, "degree is 6", equiconv_group_basis_create_bspline(6, 1, centers, 1, &out.group_basis));
  WRONG(invalid, "scale is 7.0", equiconv_group_basis_create_bspline(3, 1, centers, 7, &out.group_basis));
  WRONG(invalid, "centers[1] is inf", equiconv_group_basis_create_bspline(3, 2, centers, 1, &out.group_basis));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "centers is NULL",
        equiconv_group_basis_create_bspline(3, 2, NULL, 1, &out.group_basis));
  CHECK_SUCCESS(equiconv_group_basis_create_localized(1, beyond, &outside));
  CHECK_SUCCESS(equiconv_group_basis_create_bspline(3, 1, centers, 1, &spline));
  WRONG(invalid, "elements is [4]", equiconv_group_basis_get_matrix(outside, c4, out.numbers));
  WRONG(invalid, "group is D4", equiconv_group_basis_get_matrix(spline, d4, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group_basis is NULL", equiconv_group_basis_get_matrix(NULL, c4, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", equiconv_group_basis_get_matrix(spline, NULL, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "matrix is NULL", equiconv_group_basis_get_matrix(spline, c4, NULL));
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 4, 3);
  d.group_basis = outside;
  WRONG(invalid, "group_basis is", equiconv_plan_create(&d, &out.plan));
  d.group_basis = spline;
  WRONG(invalid, "group_basis is", equiconv_lifting_conv(&d, 1, out.input, out.weight, NULL, out.output));
  equiconv_group_basis_destroy(outside);
  equiconv_group_basis_destroy(spline);
  equiconv_group_destroy(c4);
  equiconv_group_destroy(d4);
}

/* A basis of other extents or another dimension than the kernel. */
static void bases_that_do_not_fit(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  equiconv_basis *small = make_basis(2, 2, 3), *line = make_basis(2, 1, 5);
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 5, 5);
  d.basis = small;
  WRONG(EQUICONV_ERROR_INVALID_BASIS, "kernel is (5, 5)", equiconv_plan_create(&d, &out.plan));
  d.basis = line;
  WRONG(EQUICONV_ERROR_INVALID_BASIS, "basis is 3 B-splines",
        equiconv_lifting_conv(&d, 1, out.input, out.weight, NULL, out.output));
  equiconv_basis_destroy(line);
  equiconv_basis_destroy(small);
  equiconv_group_destroy(c4);
}

void wrong_bases(void) {
  wrong_creators();
  wrong_lists();
  wrong_basis_queries();
  wrong_group_bases();
  bases_that_do_not_fit();
}

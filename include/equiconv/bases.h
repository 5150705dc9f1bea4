/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/bases.h: bases of kernels. A part of equiconv.h: include that. */
#ifndef EQUICONV_BASES_H
#define EQUICONV_BASES_H

#include "groups.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Bases of kernels ------------------------------------------------------------------------------------ */

/**
 * J functions B_j on R^d of which kernels are linear combinations, k(u) = sum_j w_j B_j(u); the weights of a layer
 * are the w. Opaque, immutable, shared safely between threads. Every creator gives a handle through `basis` that the
 * caller owns and ends with equiconv_basis_destroy; plans keep what they need of it.
 *
 * `extents` are the `dimension` extents of the grid of taps on which the identity samples, in array-axis order, which
 * are also the `kernel` of a descriptor. Points are (x), (x, y) or (x, y, z) in taps, y and z up.
 * Error of all creators: INVALID_BASIS (INVALID_DIMENSION, INVALID_ENUM), naming the argument.
 */
typedef struct equiconv_basis equiconv_basis;

/** Values on the grid of taps, continued between them by an equiconv_interpolation. Weights have the axes kernel... */
EQUICONV_API equiconv_status equiconv_basis_create_pixel(int32_t dimension, const int64_t *extents,
                                                         equiconv_interpolation interpolation, equiconv_basis **basis);
/**
 * Cardinal B-splines of degree 0...5 that are `scale` taps wide, about centers `scale` apart: as many as fit between
 * the outermost taps, floor((k - 1) / scale) + 1 along each axis, in row-major order of the array.
 */
EQUICONV_API equiconv_status equiconv_basis_create_bspline(int32_t dimension, const int64_t *extents, int32_t degree,
                                                           double scale, equiconv_basis **basis);
/** B-splines one tap wide about centers `spacing` apart: the analogue of dilated kernels. */
EQUICONV_API equiconv_status equiconv_basis_create_atrous_bspline(int32_t dimension, const int64_t *extents,
                                                                  int32_t degree, double spacing,
                                                                  equiconv_basis **basis);
/** Value of `radius`: (k - 1) / 2 - 1 for the smallest extent k. */
#define EQUICONV_RADIUS_DEFAULT (-1)
/** B-splines one tap wide about the taps within `radius` >= 0 of the origin, or EQUICONV_RADIUS_DEFAULT. */
EQUICONV_API equiconv_status equiconv_basis_create_round_bspline(int32_t dimension, const int64_t *extents,
                                                                 int32_t degree, double radius, equiconv_basis **basis);
/** B-splines `scale` taps wide about `count` points anywhere: `centers` has count * dimension numbers, at most 2^20. */
EQUICONV_API equiconv_status equiconv_basis_create_bspline_at(int32_t dimension, const int64_t *extents, int32_t degree,
                                                              double scale, int64_t count, const double *centers,
                                                              equiconv_basis **basis);
/**
 * Circular harmonics on the rings that a grid of extent x extent taps resolves: radii one tap apart up to
 * (extent - 3) / 2, frequencies up to twice the radius and `highest_frequency` (INT32_MAX for no other limit). In
 * 2-D. Functions in order of the rings, for each m = 0, then cos(m phi) and sin(m phi) for m = 1, 2, ...
 */
EQUICONV_API equiconv_status equiconv_basis_create_circular_harmonics(int64_t extent, int32_t highest_frequency,
                                                                      equiconv_basis **basis);
/** Circular harmonics on `count` rings of given radii (0...64), highest frequencies (0...pi r) and width `sigma`. */
EQUICONV_API equiconv_status equiconv_basis_create_harmonic_rings(int64_t extent, int64_t count, const double *radii,
                                                                  const int32_t *frequencies, double sigma,
                                                                  equiconv_basis **basis);
/** The (order + d choose d) partial derivatives up to total order 0...10 of a Gaussian of width `sigma` in taps. */
EQUICONV_API equiconv_status equiconv_basis_create_gaussian_derivatives(int32_t dimension, const int64_t *extents,
                                                                        int32_t order, double sigma,
                                                                        equiconv_basis **basis);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_basis_destroy(equiconv_basis *basis);

/** The number J of functions; 0 if `basis` is NULL. */
EQUICONV_API int64_t equiconv_basis_count(const equiconv_basis *basis);
/** The number d of coordinates; 0 if `basis` is NULL. */
EQUICONV_API int32_t equiconv_basis_dimension(const equiconv_basis *basis);
/** Copies the extents of the grid of taps; places beyond the dimension are set to 1. */
EQUICONV_API equiconv_status equiconv_basis_get_extents(const equiconv_basis *basis, int64_t extents[3]);
/**
 * The values B_j(u_i): `points` has point_count * d numbers, `values` gets point_count * J, row by row. The two must
 * not overlap. A point that is not finite gives zeros. Error: TOO_LARGE if J is beyond 2^22.
 */
EQUICONV_API equiconv_status equiconv_basis_sample(const equiconv_basis *basis, int64_t point_count,
                                                   const double *points, double *values);

/**
 * I functions on the relative elements d = h^-1 h' of H, for kernels on the group that are combinations of them:
 * k(d) = sum_i M[d,i] w_i. Opaque, immutable; ended with equiconv_group_basis_destroy.
 */
typedef struct equiconv_group_basis equiconv_group_basis;

/** Values on `count` different elements only, in this order; kernels are 0 on all others. */
EQUICONV_API equiconv_status equiconv_group_basis_create_localized(int64_t count, const int32_t *elements,
                                                                   equiconv_group_basis **group_basis);
/**
 * Periodic B-splines of degree 0...5 on the angles of `cyclic(n)`, about `count` (1...4096) centers, `scale` wide; both
 * in radians, 0 < scale <= 2 pi. Other groups refuse it.
 */
EQUICONV_API equiconv_status equiconv_group_basis_create_bspline(int32_t degree, int64_t count, const double *centers,
                                                                 double scale, equiconv_group_basis **group_basis);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_group_basis_destroy(equiconv_group_basis *group_basis);
/** The number I of functions; 0 if `group_basis` is NULL. */
EQUICONV_API int64_t equiconv_group_basis_count(const equiconv_group_basis *group_basis);
/** The matrix M on a group: `matrix` gets |H| * I numbers, row by row. INVALID_BASIS if the group has no such basis. */
EQUICONV_API equiconv_status equiconv_group_basis_get_matrix(const equiconv_group_basis *group_basis,
                                                             const equiconv_group *group, double *matrix);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_BASES_H */

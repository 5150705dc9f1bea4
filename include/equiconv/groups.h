/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/groups.h: groups and truncated sets of matrices. A part of equiconv.h: include that. */
#ifndef EQUICONV_GROUPS_H
#define EQUICONV_GROUPS_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Groups -------------------------------------------------------------------------------------------- */

/**
 * A finite group H of d x d matrices: the stabilizer of the origin. Opaque, immutable, shared safely between
 * threads. Every creator gives a handle through `group` that the caller owns and ends with
 * equiconv_group_destroy; plans keep what they need of it, so it may be destroyed before them.
 *
 * Infinite groups, those of scalings, are given as a finite set of elements that is not closed
 * (equiconv_group_is_closed). Their tables have -1 where a product or an inverse is not in the set.
 */
typedef struct equiconv_group equiconv_group;

/** The trivial group on d axes, order 1: ordinary convolution. d = 1, 2 or 3. */
EQUICONV_API equiconv_status equiconv_group_create_trivial(int32_t dimension, equiconv_group **group);
/** Rotations of the plane by 2 pi r / n, element r. Order n in 1...4096; a lattice group for n = 1, 2, 4. */
EQUICONV_API equiconv_status equiconv_group_create_cyclic(int64_t n, equiconv_group **group);
/**
 * Rotations and reflections of the plane, order 2 n, n in 1...2048. Element j n + r is rotation(r) flip^j, where flip
 * mirrors left and right (numpy.fliplr). A lattice group for n = 1, 2, 4.
 */
EQUICONV_API equiconv_status equiconv_group_create_dihedral(int64_t n, equiconv_group **group);
/** The reflection group {1, -1} of the line (d = 1, order 2). */
EQUICONV_API equiconv_status equiconv_group_create_reflection(equiconv_group **group);
/** The 24 rotations of the cube (d = 3): signed permutation matrices of determinant 1. */
EQUICONV_API equiconv_status equiconv_group_create_octahedral(equiconv_group **group);
/** The 48 symmetries of the cube (d = 3): element 24 + i is minus element i of the octahedral group. */
EQUICONV_API equiconv_status equiconv_group_create_full_octahedral(equiconv_group **group);
/**
 * The 12 rotations of the tetrahedron (d = 3), in the order of the octahedral group. Element 4 i + j reads the columns
 * (0, 1, 2), (1, 2, 0), (2, 0, 1) for i = 0, 1, 2 with the signs +++, +--, -+-, --+ for j = 0, 1, 2, 3.
 */
EQUICONV_API equiconv_status equiconv_group_create_tetrahedral(equiconv_group **group);
/** Order 24 (d = 3): element 12 + i is minus element i of the tetrahedral group. */
EQUICONV_API equiconv_status equiconv_group_create_pyritohedral(equiconv_group **group);
/**
 * The 60 rotations of the icosahedron (d = 3) with the vertices (0, +-1, +-p) and cyclic, p = (1 + sqrt 5) / 2. Element
 * 12 j + t is f^j times element t of the tetrahedral group; f turns by 72 degrees, counter-clockwise, about (0, 1, p).
 */
EQUICONV_API equiconv_status equiconv_group_create_icosahedral(equiconv_group **group);
/** The 120 symmetries of the icosahedron (d = 3): element 60 + i is minus element i of the icosahedral group. */
EQUICONV_API equiconv_status equiconv_group_create_full_icosahedral(equiconv_group **group);
/**
 * Rotations of space by 2 pi r / n about an axis (equiconv_axis), element r, counter-clockwise seen from its tip: x to
 * y about z, y to z about x, z to x about y. n in 1...4096; a lattice group for n = 1, 2, 4. Error: INVALID_ENUM.
 */
EQUICONV_API equiconv_status equiconv_group_create_axial_cyclic(int64_t n, equiconv_axis axis, equiconv_group **group);
/**
 * These rotations and the half turns about n axes perpendicular to theirs, order 2 n, n in 1...2048. Element j n + r is
 * rotation(r) half^j, where half = diag(-1, 1, -1) for the axis z; on the plane of the two other axes in cyclic order
 * the elements are those of the dihedral group.
 */
EQUICONV_API equiconv_status equiconv_group_create_axial_dihedral(int64_t n, equiconv_axis axis,
                                                                  equiconv_group **group);
/**
 * Scalings of d axes by `count` factors, element i by factors[i]; not closed unless count is 1. factors[0] is 1, all
 * are in 1/1024...1024 and differ by more than 1e-5 of their size; products are looked up to 1e-6. count in 1...4096.
 * Errors: INVALID_DIMENSION, INVALID_ORDER, INVALID_FACTOR, DUPLICATE_ELEMENT.
 */
EQUICONV_API equiconv_status equiconv_group_create_scaling(int32_t dimension, int64_t count, const double *factors,
                                                           equiconv_group **group);
/**
 * Rotations of the plane times scalings: element i n + r is factors[i] times rotation r of n. n count is at most 4096.
 * Factors and errors are those of equiconv_group_create_scaling.
 */
EQUICONV_API equiconv_status equiconv_group_create_similarity(int64_t n, int64_t count, const double *factors,
                                                              equiconv_group **group);
/**
 * The group of `order` given d x d matrices, in their order, row by row: `matrices` has order * d * d doubles that
 * act on coordinates (x), (x, y) or (x, y, z). Entries within 1e-6 of each other count as equal.
 * Errors: INVALID_DIMENSION, INVALID_ORDER, NOT_FINITE, IDENTITY_NOT_FIRST, DUPLICATE_ELEMENT, NO_INVERSE, NOT_CLOSED.
 */
EQUICONV_API equiconv_status equiconv_group_create_from_matrices(int32_t dimension, int64_t order,
                                                                 const double *matrices, equiconv_group **group);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_group_destroy(equiconv_group *group);

/** The number of elements |H|; 0 if `group` is NULL. */
EQUICONV_API int64_t equiconv_group_order(const equiconv_group *group);
/** The number d of axes it acts on; 0 if `group` is NULL. */
EQUICONV_API int32_t equiconv_group_dimension(const equiconv_group *group);
/** 1 if all matrices are signed permutations (H maps the pixel grid to itself), else 0. */
EQUICONV_API int32_t equiconv_group_is_lattice(const equiconv_group *group);
/** 1 if every product and inverse of elements is an element (H is a group), else 0: a truncated set of scalings. */
EQUICONV_API int32_t equiconv_group_is_closed(const equiconv_group *group);
/** A short name such as "C4", "D4", "octahedral"; valid as long as the group. "" if `group` is NULL. */
EQUICONV_API const char *equiconv_group_name(const equiconv_group *group);
/** Copies the matrices: order * d * d doubles, element by element, row by row, acting on (x, y, z). */
EQUICONV_API equiconv_status equiconv_group_get_matrices(const equiconv_group *group, double *matrices);
/**
 * Copies the Cayley table: order * order numbers, entry [a * order + b] is the index of the product a b, -1 if the set
 * is not closed and does not have it.
 */
EQUICONV_API equiconv_status equiconv_group_get_cayley(const equiconv_group *group, int32_t *cayley);
/** Copies the inverses: order numbers, -1 where a set that is not closed does not have the inverse. */
EQUICONV_API equiconv_status equiconv_group_get_inverses(const equiconv_group *group, int32_t *inverses);
/** Copies the determinants: order numbers; +-1 for a closed group, s^d for a scaling by s. */
EQUICONV_API equiconv_status equiconv_group_get_determinants(const equiconv_group *group, double *determinants);
/**
 * Copies quadrature weights: order numbers with the sum 1, whose weighted sum over H stands for the mean by the Haar
 * measure. 1 / order for a closed group; the trapezoidal rule in log s for scalings, divided among the rotations.
 */
EQUICONV_API equiconv_status equiconv_group_get_quadrature_weights(const equiconv_group *group, double *weights);

/* ---- Array axes ----------------------------------------------------------------------------------------- */

/*
 * Array axes are (column) for d = 1, (row, column) for d = 2 and (depth, row, column) for d = 3; coordinates are (x),
 * (x, y) and (x, y, z) with x = column, y = -row, z = -depth.
 */

/**
 * Copies how elements turn arrays: order * d numbers each, element by element. Axis a of L_g f is axis axes[g * d + a]
 * of f, as it is for signs[g * d + a] = 1 and reversed for -1. An element whose matrix is not a signed permutation does
 * not map the grid to itself: it has -1 for axes and 0 for signs. The others are a subgroup, all of H if H is a lattice
 * group, for example the quarter turns of equiconv_group_create_cyclic(8, ...).
 */
EQUICONV_API equiconv_status equiconv_group_get_axis_actions(const equiconv_group *group, int32_t *axes,
                                                             int32_t *signs);
/**
 * Copies which array axes H moves: d numbers, 1 if some element mirrors the axis, exchanges it with another or mixes it
 * with one, else 0. An axis that H only scales does not move.
 */
EQUICONV_API equiconv_status equiconv_group_get_moved_axes(const equiconv_group *group, int32_t *moved);
/**
 * The matrix by which a linear map of coordinates moves displacements along array axes. Both matrices have d * d
 * numbers, row by row: `matrix` acts on coordinates, `array_matrix` on array axes. They may be the same array.
 * Error: INVALID_DIMENSION.
 */
EQUICONV_API equiconv_status equiconv_array_matrix(int32_t dimension, const double *matrix, double *array_matrix);

/* ---- Subgroups ------------------------------------------------------------------------------------------ */

/**
 * A subgroup K of H: the stabilizer of a point of H/K. Opaque, immutable, shared safely between threads; ended with
 * equiconv_subgroup_destroy. It keeps what it needs of the group, and plans what they need of it.
 */
typedef struct equiconv_subgroup equiconv_subgroup;

/**
 * The subgroup with these `count` elements, in any order: all |H| for the plane, the element 0 for the group. A set
 * that is not closed (equiconv_group_is_closed) has itself, and subgroups all of whose left cosets are in it.
 * Error: NOT_A_SUBGROUP. Cost: O(|H| + count^2), O(|H| count) for a set that is not closed.
 */
EQUICONV_API equiconv_status equiconv_subgroup_create(const equiconv_group *group, int64_t count,
                                                      const int32_t *elements, equiconv_subgroup **subgroup);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_subgroup_destroy(equiconv_subgroup *subgroup);
/** The number of elements |K|; 0 if `subgroup` is NULL. */
EQUICONV_API int64_t equiconv_subgroup_order(const equiconv_subgroup *subgroup);
/** Copies the elements, ascending: |K| numbers. */
EQUICONV_API equiconv_status equiconv_subgroup_get_elements(const equiconv_subgroup *subgroup, int32_t *elements);
/**
 * Left cosets a K: coset[a] is the number of the coset of a, numbered by first appearance, so coset[0] = 0. `coset` has
 * |H| numbers.
 */
EQUICONV_API equiconv_status equiconv_subgroup_get_left_cosets(const equiconv_subgroup *subgroup, int32_t *coset);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_GROUPS_H */

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * equiconv.h: group convolutions for G = R^d x| H on the CPU (d = 1, 2 or 3).
 *
 * This header is the whole C interface and its manual.
 *
 * INTRODUCTION
 *
 * Every bounded linear map between feature maps that commutes with a group G is a group convolution
 * (Bekkers, "B-Spline CNNs on Lie Groups", ICLR 2020, Theorem 1). With H the stabilizer of the origin,
 * written as d x d matrices, signals live either on the plane R^d or on the group G, and there are four layers:
 *
 *   isotropic   R^d -> R^d   y[o,x]   = sum_{c,x'}    kbar[o,c](x' - x) f[c,x']
 *   lifting     R^d -> G     y[o,h,x] = sum_{c,x'}    k[o,c](h^-1 (x' - x)) f[c,x']
 *   group       G -> G       y[o,h,x] = sum_{c,h',x'} k[o,c](h^-1 h', h^-1 (x' - x)) f[c,h',x']
 *   projection  G -> R^d     y[o,x]   = sum_{c,h',x'} kbar[o,c](h', x' - x) f[c,h',x']
 *
 * where kbar is the mean of the kernel over H: kbar(h', u) = mean over h of k(h^-1 h', h^-1 u). These are
 * correlations, as in every deep-learning library; there is no factor 1/|H| in lifting and group convolution. Where
 * h enlarges, as in a group of scalings, every kernel comes with the factor 1/|det h| of the theorem.
 *
 * These are the cases of one layer between signals on R^d x H/K and on R^d x H/K', for subgroups K and K' of H, the
 * stabilizers (EQUICONV_LAYER_GENERAL). K = H is the plane, K = {e} the group. For a point p = a K' of the output
 *
 *   general     y[o,p,x] = sum_{c,q,x'} mean over h in p of k[o,c](h^-1 q, h^-1 (x' - x)) / |det h| f[c,q,x']
 *
 * ANY GROUP
 *
 * A *lattice* group, whose matrices are signed permutations, maps the grid of taps to itself, and its turned kernels
 * are exact. For any other group a kernel is a function between the taps too: the interpolation of its pixels, or a
 * combination of the functions of an equiconv_basis. It is then sampled at h^-1 u for the taps u of the disc (ball)
 * |u| <= s k/2, where s is the scale of h: so all orientations have one support. Circular harmonics and Gaussian
 * derivatives, which decay by themselves, use all taps of the square (cube) of that side. An element of scale s > 1
 * samples on a larger support, 2 ceil(s (k - 1)/2) + 1 taps for an odd extent k; padding grows with it, and outputs
 * stay on the grid of the unscaled kernel. "Scale" is the largest factor by which h lengthens a vector.
 *
 * An infinite group, such as the scalings, comes as a truncated set of its elements. Relative elements h^-1 h' that
 * are not in the set contribute nothing.
 *
 * ARRAYS
 *
 * All arrays are C-contiguous (the last axis varies fastest), of float or double as `dtype` says, aligned to
 * their element. |H| is the order of the group, `spatial` is d axes: (width), (row, column) or
 * (depth, row, column).
 *
 *   plane signal   (batch, channels, spatial...)
 *   group signal   (batch, channels, |H|, spatial...)
 *   quotient       (batch, channels, |H/K|, spatial...), the left cosets of K numbered by first appearance
 *   weight         isotropic, lifting   (out_channels, in_channels, kernel...)
 *                  group, projection    (out_channels, in_channels, |H|, kernel...)
 *                  with a basis, its J functions in place of the axes kernel...; with a basis on H, its I functions
 *                  in place of |H|; from a quotient, |H/K| in place of |H|
 *   bias           (out_channels)       one number per output channel, shared by all of H
 *
 * Tap i of a kernel axis of extent k has the coordinate i - (k - 1) / 2. In 2-D x = column and y = -row (y up),
 * in 3-D x = column, y = -row, z = -depth, so the rotation by +90 degrees turns arrays as numpy.rot90 does.
 * Element 0 of every group is the identity.
 *
 * ALGORITHMS
 *
 * `descriptor.algorithm` says how a layer is computed; docs/Algorithms.md of the project has their measured errors.
 *
 *   direct     every call. Exact in the sense below.
 *   fourier    products of tiles in the frequency domain: all passes of layers in 2-D with stride 1 that sum over
 *              channels (not depthwise), kernels of a reach dilation (k - 1) + 1 up to 32, any group and basis; not the
 *              input gradient of circular padding that changes the size. Fewer operations by a factor that grows with
 *              the kernel. Errors are a few times those of direct, and of the size of the largest output of a tile.
 *   winograd   small tiles of kernels of a reach up to 3 x 3: forward passes and input gradients of the same layers in
 *              float32. Errors are up to an order of magnitude above those of direct.
 *   auto       for each pass the one of these that a cost model expects to be fastest, and direct wherever the others do
 *              not apply or would not be worth their transforms. What it takes may differ between processors and
 *              versions; equiconv_plan_explain tells it.
 *
 * Asking for an algorithm that cannot do a call is the error UNSUPPORTED_ALGORITHM, which says why; nothing falls back
 * but auto. Fourier and winograd work on transformed weights, made when a call first needs them and kept in the plan (for
 * the simple calls: in the cache of plans) with a copy of what they were made of. A call uses them only if its weight is
 * equal to the copy in every bit, so changes of a weight array always show. An equiconv_weight is compared no more.
 *
 * Their workspace is bounded: see equiconv_set_workspace_limit. Larger calls are done in parts.
 *
 * EXACTNESS
 *
 * With the direct algorithm each output number is one chain of multiply-adds in one order, whatever the thread count. So
 * for every element g of H that maps the grid to itself (all of a lattice group, the quarter turns of C8) and all layers,
 * whatever the basis, forward(act(g, f)) and act(g, forward(f)) are equal to the last bit,
 * provided that (spatial + 2 padding - reach) mod stride = 0 on every axis, where
 * reach = dilation (kernel - 1) + 1; see equiconv_plan_get_stride_remainder.
 *
 * ERRORS
 *
 * Functions that can fail return an equiconv_status and give results through pointers, which are left
 * untouched on failure. equiconv_last_error_message() then names the argument, its value and what was expected.
 * Arguments are checked before any array is read or written; only when memory runs out in the middle of a *_vjp call
 * may one of its gradients be written already. What cannot be checked is that pointers are
 * valid and arrays as large as documented.
 *
 * THREADS
 *
 * Every function may be called from several threads at once. Groups, bases, plans and weights are immutable
 * once created (what plans and weights keep of transforms is guarded by a lock). Large calls share one pool of worker threads, started by the first of them; a process may fork before or
 * after that, and parent and child both go on working. Results do not depend on the number of threads, but for the
 * algorithm and tile that are taken where they are not direct.
 *
 * ENVIRONMENT
 *
 * EQUICONV_NUM_THREADS   initial number of threads (default: the processors this process may run on)
 * EQUICONV_ISA           baseline | avx2 | avx512: the most advanced instruction set to use. Both are read once.
 */
#ifndef EQUICONV_H
#define EQUICONV_H

#include <stddef.h> /* size_t */
#include <stdint.h> /* int32_t, int64_t */

#if defined(__GNUC__) || defined(__clang__)
#define EQUICONV_API __attribute__((visibility("default")))
#else
#define EQUICONV_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------- */

#define EQUICONV_VERSION_MAJOR 0
#define EQUICONV_VERSION_MINOR 1
#define EQUICONV_VERSION_PATCH 0
/** The version of this header: major * 10000 + minor * 100 + patch. */
#define EQUICONV_VERSION (EQUICONV_VERSION_MAJOR * 10000 + EQUICONV_VERSION_MINOR * 100 + EQUICONV_VERSION_PATCH)

/** The version of the library that is linked, in the form of EQUICONV_VERSION. */
EQUICONV_API int32_t equiconv_version(void);

/* ---- Status -------------------------------------------------------------------------------------------- */

/** What a call came to. Numbers are frozen; new ones may be added inside each hundred. */
typedef enum equiconv_status {
  EQUICONV_SUCCESS = 0,

  /* 1xx: an argument is wrong */
  EQUICONV_ERROR_NULL_POINTER = 100,       /**< a required pointer is NULL */
  EQUICONV_ERROR_STRUCT_SIZE = 101,        /**< descriptor.struct_size is not a size this library knows */
  EQUICONV_ERROR_INVALID_ENUM = 102,       /**< an enumerated argument has a value that is not listed */
  EQUICONV_ERROR_MISALIGNED_POINTER = 103, /**< an array is not aligned to its element */
  EQUICONV_ERROR_OVERLAP = 104,            /**< an output array overlaps an input array */
  EQUICONV_ERROR_INDEX_OUT_OF_RANGE = 105, /**< a group element or axis that does not exist */
  EQUICONV_ERROR_INVALID_SIZE = 110,       /**< a size that must be positive (batch: not negative) is not */
  EQUICONV_ERROR_INVALID_STRIDE = 111,     /**< a stride below 1 */
  EQUICONV_ERROR_INVALID_DILATION = 112,   /**< a dilation below 1 */
  EQUICONV_ERROR_INVALID_PADDING = 113,    /**< a negative padding other than EQUICONV_PADDING_SAME */
  EQUICONV_ERROR_EVEN_KERNEL = 114,        /**< "same" padding of an even kernel: no symmetric padding exists */
  EQUICONV_ERROR_KERNEL_TOO_LARGE = 115,   /**< the kernel reaches beyond the padded input: no output remains */
  EQUICONV_ERROR_ANISOTROPIC = 116,        /**< kernel, stride, padding or dilation differ along axes that H exchanges */
  EQUICONV_ERROR_DIMENSION_MISMATCH = 117, /**< the group acts on another number of axes */
  EQUICONV_ERROR_SIZE_OVERFLOW = 118,      /**< a byte size does not fit in 63 bits */
  EQUICONV_ERROR_INVALID_BASIS = 119,      /**< a basis that does not exist, or does not fit the layer */
  EQUICONV_ERROR_DTYPE_MISMATCH = 120,     /**< an equiconv_weight of another dtype than the layer */

  /* 2xx: not a group */
  EQUICONV_ERROR_INVALID_ORDER = 200,      /**< a group order that is not positive, or beyond 4096 */
  EQUICONV_ERROR_INVALID_DIMENSION = 201,  /**< a dimension other than 1, 2, 3 */
  EQUICONV_ERROR_NOT_FINITE = 202,         /**< a matrix entry is infinite or not a number */
  EQUICONV_ERROR_IDENTITY_NOT_FIRST = 203, /**< matrix 0 is not the identity */
  EQUICONV_ERROR_DUPLICATE_ELEMENT = 204,  /**< two matrices are equal */
  EQUICONV_ERROR_NO_INVERSE = 205,         /**< a matrix is singular, or its inverse is missing */
  EQUICONV_ERROR_NOT_CLOSED = 206,         /**< a product of two matrices is missing */
  EQUICONV_ERROR_NOT_A_SUBGROUP = 207,     /**< a set of elements is not a subgroup */
  EQUICONV_ERROR_INVALID_FACTOR = 208,     /**< a factor outside 1/1024...1024, or factors[0] is not 1 */

  /* 3xx: resources */
  EQUICONV_ERROR_OUT_OF_MEMORY = 300,      /**< an allocation failed */
  EQUICONV_ERROR_TOO_LARGE = 301,          /**< beyond a limit of this library: |X| * |Y| * taps > 2^22 */

  /* 4xx: valid, but not available */
  EQUICONV_ERROR_UNSUPPORTED_GROUP = 400,    /**< an action by an element that does not map the grid to itself */
  EQUICONV_ERROR_UNSUPPORTED_ALGORITHM = 401 /**< the algorithm is not available for this call */
} equiconv_status;

/** The name of a status, for example "EQUICONV_ERROR_OVERLAP"; "unknown status" for a number not listed. */
EQUICONV_API const char *equiconv_status_name(int32_t status);

/**
 * The message of the last call that failed on this thread: argument, value, and what was expected.
 * UTF-8, never NULL, "" if no call has failed. Valid until the next failing call on this thread.
 */
EQUICONV_API const char *equiconv_last_error_message(void);

/* ---- Enumerations (frozen numbers; stored as int32_t) -------------------------------------------------- */

typedef enum equiconv_layer {
  EQUICONV_LAYER_ISOTROPIC = 0,  /**< R^d -> R^d */
  EQUICONV_LAYER_LIFTING = 1,    /**< R^d -> G   */
  EQUICONV_LAYER_GROUP = 2,      /**< G   -> G   */
  EQUICONV_LAYER_PROJECTION = 3, /**< G   -> R^d */
  EQUICONV_LAYER_GENERAL = 4     /**< R^d x H/K -> R^d x H/K', by the stabilizers of the descriptor */
} equiconv_layer;

typedef enum equiconv_dtype {
  EQUICONV_FLOAT32 = 0, /**< float  */
  EQUICONV_FLOAT64 = 1  /**< double */
} equiconv_dtype;

typedef enum equiconv_padding_mode {
  EQUICONV_PADDING_ZEROS = 0,   /**< zeros around the signal */
  EQUICONV_PADDING_CIRCULAR = 1 /**< the signal is periodic  */
} equiconv_padding_mode;

typedef enum equiconv_algorithm {
  EQUICONV_ALGORITHM_AUTO = 0,     /**< the one that is expected to be fastest, for each pass */
  EQUICONV_ALGORITHM_DIRECT = 1,   /**< bitwise equivariant; every layer */
  EQUICONV_ALGORITHM_WINOGRAD = 2, /**< tiles of 3 x 3 kernels, stride 1, 2-D */
  EQUICONV_ALGORITHM_FOURIER = 3   /**< tiles in the frequency domain, stride 1, 2-D */
} equiconv_algorithm;

/** What a plan computes that is worth an algorithm. */
typedef enum equiconv_pass {
  EQUICONV_PASS_FORWARD = 0,
  EQUICONV_PASS_INPUT_GRADIENT = 1,
  EQUICONV_PASS_WEIGHT_GRADIENT = 2
} equiconv_pass;

typedef enum equiconv_interpolation {
  EQUICONV_INTERPOLATION_BILINEAR = 0, /**< linear along each axis */
  EQUICONV_INTERPOLATION_BICUBIC = 1,  /**< cubic convolution (Keys 1981, a = -1/2) */
  EQUICONV_INTERPOLATION_BSPLINE3 = 2  /**< the cubic spline through the values (Unser et al. 1993) */
} equiconv_interpolation;

typedef enum equiconv_pool_mode {
  EQUICONV_POOL_MEAN = 0,
  EQUICONV_POOL_MAX = 1
} equiconv_pool_mode;

/** An axis of space: x = column, y = -row, z = -depth. */
typedef enum equiconv_axis {
  EQUICONV_AXIS_X = 0,
  EQUICONV_AXIS_Y = 1,
  EQUICONV_AXIS_Z = 2
} equiconv_axis;

typedef enum equiconv_signal {
  EQUICONV_SIGNAL_PLANE = 0, /**< (batch, channels, spatial...)      */
  EQUICONV_SIGNAL_GROUP = 1  /**< (batch, channels, |H|, spatial...) */
} equiconv_signal;

/* ---- Groups -------------------------------------------------------------------------------------------- */

/**
 * A finite group H of d x d matrices: the stabilizer of the origin. Opaque, immutable, shared safely between
 * threads. Every creator gives a handle through `group` that the caller owns and ends with
 * equiconv_group_destroy; plans keep what they need of it, so it may be destroyed before them.
 *
 * Infinite groups, those of scalings, come as a finite set of elements that is not closed (equiconv_group_is_closed).
 * Their tables have -1 where a product or an inverse is not in the set.
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
EQUICONV_API equiconv_status equiconv_group_create_axial_cyclic(int64_t n, int32_t axis, equiconv_group **group);
/**
 * These rotations and the half turns about n axes perpendicular to theirs, order 2 n, n in 1...2048. Element j n + r is
 * rotation(r) half^j, where half = diag(-1, 1, -1) for the axis z; on the plane of the two other axes in cyclic order
 * the elements are those of the dihedral group.
 */
EQUICONV_API equiconv_status equiconv_group_create_axial_dihedral(int64_t n, int32_t axis, equiconv_group **group);
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
/**
 * Left cosets a K of the subgroup K given by its `count` elements: coset[a] is the number of the coset of a,
 * numbered by first appearance, so coset[0] = 0. `coset` has |H| numbers. Error: NOT_A_SUBGROUP, also if a set that
 * is not closed does not have all of a coset.
 */
EQUICONV_API equiconv_status equiconv_group_get_left_cosets(const equiconv_group *group, const int32_t *subgroup,
                                                            int64_t count, int32_t *coset);

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
                                                         int32_t interpolation, equiconv_basis **basis);
/**
 * Cardinal B-splines of degree 0...5 that are `scale` taps wide, about centres `scale` apart: as many as fit between
 * the outermost taps, floor((k - 1) / scale) + 1 along each axis, in row-major order of the array.
 */
EQUICONV_API equiconv_status equiconv_basis_create_bspline(int32_t dimension, const int64_t *extents, int32_t degree,
                                                           double scale, equiconv_basis **basis);
/** B-splines one tap wide about centres `spacing` apart: the analogue of dilated kernels. */
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
EQUICONV_API equiconv_status equiconv_group_basis_create_localised(int64_t count, const int32_t *elements,
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

/* ---- The descriptor of a layer ------------------------------------------------------------------------- */

/** Value of `padding[a]`: dilation (kernel - 1) / 2, so that stride 1 keeps the size. Needs an odd kernel[a]. */
#define EQUICONV_PADDING_SAME (-1)

/**
 * What is convolved with what. Begin with `= EQUICONV_DESCRIPTOR_INIT`, which sets struct_size, strides and
 * dilations to 1 and all else to 0. The first `dimension` entries of each array are used, in the order of the array axes.
 * kernel, stride, padding and dilation must agree along axes that the group exchanges or mixes.
 *
 * A struct_size of offsetof(equiconv_descriptor, basis), as of version 0.1.0, is accepted too: all from there on is
 * then taken to be 0. Arrays and handles are read during the call only.
 *
 * Output sizes are (spatial + 2 padding - reach) / stride + 1, rounded down, with reach = dilation (kernel - 1) + 1.
 */
typedef struct equiconv_descriptor {
  size_t struct_size;          /**< sizeof(equiconv_descriptor) */
  const equiconv_group *group; /**< borrowed for the length of the call */
  int32_t layer;               /**< equiconv_layer; not read by the functions that name a layer */
  int32_t dtype;               /**< equiconv_dtype of every array */
  int32_t padding_mode;        /**< equiconv_padding_mode */
  int32_t algorithm;           /**< equiconv_algorithm */
  int32_t dimension;           /**< d; must be the group's */
  int32_t depthwise;           /**< 1: output channel o reads input channel o alone, O = C, weights (O, 1, ...); or 0 */
  int64_t in_channels;         /**< C >= 1 */
  int64_t out_channels;        /**< O >= 1 */
  int64_t spatial[3];          /**< input sizes >= 1 */
  int64_t kernel[3];           /**< kernel extents >= 1, odd or even */
  int64_t stride[3];           /**< >= 1 */
  int64_t padding[3];          /**< >= 0 on both sides, or EQUICONV_PADDING_SAME */
  int64_t dilation[3];         /**< >= 1 */

  const equiconv_basis *basis;             /**< what kernels are made of, of extents `kernel`; NULL: pixels */
  const equiconv_group_basis *group_basis; /**< for signals on the group as input; NULL: one value for each element */
  const int32_t *input_stabilizer;         /**< the elements of K, in any order: with EQUICONV_LAYER_GENERAL only */
  int64_t input_stabilizer_count;          /**< |K|; |H| for the plane, 1 (the element 0) for the group */
  const int32_t *output_stabilizer;        /**< the elements of K' */
  int64_t output_stabilizer_count;         /**< |K'| */
  int32_t interpolation;                   /**< equiconv_interpolation of pixels; not read with a basis */
  int32_t quadrature;                      /**< 1: weight the sum over H as an integral by its measure; 0: do not */
} equiconv_descriptor;

/* clang-format off */
#define EQUICONV_DESCRIPTOR_INIT \
  { sizeof(equiconv_descriptor), NULL, 0, 0, 0, 0, 0, 0, 0, 0, \
    {0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, \
    NULL, NULL, NULL, 0, NULL, 0, 0, 0 }
/* clang-format on */

/* ---- Simple calls: one layer, one call ------------------------------------------------------------------ */

/*
 * Forward: `output` = layer(input, weight) + bias. Shapes are those of equiconv_plan_get_*_shape. `bias` may be
 * NULL (none). batch may be 0: nothing is read or written. `output` must not overlap the inputs.
 * Plans are kept in a small cache, so a loop of equal calls builds stencils once.
 */

/** Isotropic convolution R^d -> R^d: y[o,x] = sum kbar[o,c](x' - x) f[c,x'], kbar the mean of k over H. */
EQUICONV_API equiconv_status equiconv_isotropic_conv(const equiconv_descriptor *descriptor, int64_t batch,
                                                     const void *input, const void *weight, const void *bias,
                                                     void *output);
/** Lifting convolution R^d -> G: y[o,h,x] = sum k[o,c](h^-1 (x' - x)) f[c,x']. */
EQUICONV_API equiconv_status equiconv_lifting_conv(const equiconv_descriptor *descriptor, int64_t batch,
                                                   const void *input, const void *weight, const void *bias,
                                                   void *output);
/** Group convolution G -> G: y[o,h,x] = sum k[o,c](h^-1 h', h^-1 (x' - x)) f[c,h',x']. */
EQUICONV_API equiconv_status equiconv_group_conv(const equiconv_descriptor *descriptor, int64_t batch,
                                                 const void *input, const void *weight, const void *bias, void *output);
/** Projection convolution G -> R^d: y[o,x] = sum kbar[o,c](h', x' - x) f[c,h',x'], kbar the mean of k over H. */
EQUICONV_API equiconv_status equiconv_projection_conv(const equiconv_descriptor *descriptor, int64_t batch,
                                                      const void *input, const void *weight, const void *bias,
                                                      void *output);
/** Convolution R^d x H/K -> R^d x H/K', by the stabilizers of the descriptor; its field `layer` is not read. */
EQUICONV_API equiconv_status equiconv_conv(const equiconv_descriptor *descriptor, int64_t batch, const void *input,
                                           const void *weight, const void *bias, void *output);

/*
 * Gradients (vector-Jacobian products): from grad_output, shaped like the output, the gradients of
 * <grad_output, layer(input, weight) + bias>. Each of grad_input, grad_weight, grad_bias may be NULL (not
 * wanted); `weight` is read for grad_input only, `input` for grad_weight only, and may be NULL otherwise.
 */

/** Gradients of equiconv_isotropic_conv. */
EQUICONV_API equiconv_status equiconv_isotropic_conv_vjp(const equiconv_descriptor *descriptor, int64_t batch,
                                                         const void *grad_output, const void *input,
                                                         const void *weight, void *grad_input, void *grad_weight,
                                                         void *grad_bias);
/** Gradients of equiconv_lifting_conv. */
EQUICONV_API equiconv_status equiconv_lifting_conv_vjp(const equiconv_descriptor *descriptor, int64_t batch,
                                                       const void *grad_output, const void *input, const void *weight,
                                                       void *grad_input, void *grad_weight, void *grad_bias);
/** Gradients of equiconv_group_conv. */
EQUICONV_API equiconv_status equiconv_group_conv_vjp(const equiconv_descriptor *descriptor, int64_t batch,
                                                     const void *grad_output, const void *input, const void *weight,
                                                     void *grad_input, void *grad_weight, void *grad_bias);
/** Gradients of equiconv_projection_conv. */
EQUICONV_API equiconv_status equiconv_projection_conv_vjp(const equiconv_descriptor *descriptor, int64_t batch,
                                                          const void *grad_output, const void *input,
                                                          const void *weight, void *grad_input, void *grad_weight,
                                                          void *grad_bias);
/** Gradients of equiconv_conv. */
EQUICONV_API equiconv_status equiconv_conv_vjp(const equiconv_descriptor *descriptor, int64_t batch,
                                               const void *grad_output, const void *input, const void *weight,
                                               void *grad_input, void *grad_weight, void *grad_bias);

/* ---- Plans: describe once, run often ------------------------------------------------------------------- */

/**
 * A layer with everything worked out that does not depend on the numbers: sizes, stencils, blocking. Opaque,
 * immutable, safe to run from several threads at once. The batch is given at each run.
 */
typedef struct equiconv_plan equiconv_plan;

/**
 * Makes a plan, which the caller ends with equiconv_plan_destroy. Cost: O(|X| |Y| taps), and with a basis or a group
 * that is not a lattice group times its functions.
 */
EQUICONV_API equiconv_status equiconv_plan_create(const equiconv_descriptor *descriptor, equiconv_plan **plan);
/** Ends a plan. NULL is fine. */
EQUICONV_API void equiconv_plan_destroy(equiconv_plan *plan);

/** output = layer(input, weight) + bias; `bias` may be NULL. As the simple calls. */
EQUICONV_API equiconv_status equiconv_plan_forward(const equiconv_plan *plan, int64_t batch, const void *input,
                                                   const void *weight, const void *bias, void *output);
/** grad_input = (adjoint of input -> layer(input, weight)) grad_output. */
EQUICONV_API equiconv_status equiconv_plan_input_gradient(const equiconv_plan *plan, int64_t batch,
                                                          const void *grad_output, const void *weight,
                                                          void *grad_input);
/** grad_weight = (adjoint of weight -> layer(input, weight)) grad_output. Zeros if batch is 0. */
EQUICONV_API equiconv_status equiconv_plan_weight_gradient(const equiconv_plan *plan, int64_t batch,
                                                           const void *grad_output, const void *input,
                                                           void *grad_weight);
/** grad_bias[o] = sum of grad_output over batch, H and space, accumulated in double. Zeros if batch is 0. */
EQUICONV_API equiconv_status equiconv_plan_bias_gradient(const equiconv_plan *plan, int64_t batch,
                                                         const void *grad_output, void *grad_bias);

/**
 * The filter bank of the equal ordinary convolution: bank has shape (O |Y|, C |X|, kernel...), where |X|, |Y| are the
 * points of the fiber: |H| for a group signal, 1 for a plane signal; kernel... is equiconv_plan_get_sampled_kernel, and
 * padding grows by half of what that is larger than the descriptor's, times the dilation. Channel o |Y| + h of the output and c |X| + h' of the input.
 * bank[o,h,c,h'](u) = k[o,c](h^-1 h', h^-1 u) / |det h|, or kbar for isotropic and projection layers.
 */
EQUICONV_API equiconv_status equiconv_plan_expand(const equiconv_plan *plan, const void *weight, void *bank);

/* ---- Prepared weights ---------------------------------------------------------------------------------- */

/**
 * A layer's weight, copied once and transformed once, for inference: it goes to forward calls in place of the array. What
 * an algorithm makes of it is made when a call first needs it, and kept until equiconv_weight_destroy; the array it was
 * copied from may change or end. Opaque, shared safely between threads, and by plans that differ in sizes or batch.
 * Direct gives the bits of the same call with the array. So do the others with the same tile; where weights are free,
 * another tile, and with auto another algorithm, may be the fastest: see `prepared` of equiconv_explanation.
 */
typedef struct equiconv_weight equiconv_weight;

/**
 * Copies `count` numbers of `dtype`, the product of equiconv_plan_get_weight_shape; the caller ends the handle with
 * equiconv_weight_destroy. Errors: INVALID_ENUM, INVALID_SIZE, SIZE_OVERFLOW, MISALIGNED_POINTER, OUT_OF_MEMORY.
 */
EQUICONV_API equiconv_status equiconv_weight_create(int32_t dtype, int64_t count, const void *numbers,
                                                    equiconv_weight **weight);
/** The same, with the dtype and count of a plan. */
EQUICONV_API equiconv_status equiconv_plan_prepare(const equiconv_plan *plan, const void *numbers,
                                                   equiconv_weight **weight);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_weight_destroy(equiconv_weight *weight);
/** Memory it holds: the copy and the transforms made so far; 0 if `weight` is NULL. */
EQUICONV_API int64_t equiconv_weight_bytes(const equiconv_weight *weight);

/** equiconv_plan_forward with a prepared weight. Errors, besides those: DTYPE_MISMATCH; INVALID_SIZE for its count. */
EQUICONV_API equiconv_status equiconv_plan_forward_prepared(const equiconv_plan *plan, int64_t batch,
                                                            const void *input, const equiconv_weight *weight,
                                                            const void *bias, void *output);
/** The simple call of the layer that the descriptor's field `layer` names, with a prepared weight. */
EQUICONV_API equiconv_status equiconv_forward_prepared(const equiconv_descriptor *descriptor, int64_t batch,
                                                       const void *input, const equiconv_weight *weight,
                                                       const void *bias, void *output);

/* ---- Queries ------------------------------------------------------------------------------------------- */

/** Bytes of equiconv_explanation.reason, the closing 0 included. */
#define EQUICONV_REASON_SIZE 512

/**
 * Which algorithm a call takes, and what it costs. Begin with `= EQUICONV_EXPLANATION_INIT`. The sizes of memory are
 * exact; `seconds` is the estimate of a cost model of the processor, of one call with nothing else running.
 */
typedef struct equiconv_explanation {
  size_t struct_size;                /**< sizeof(equiconv_explanation), given by the caller */
  int32_t prepared;                  /**< given by the caller: 1 for a forward call with an equiconv_weight, else 0 */
  int32_t pass;                      /**< equiconv_pass, as asked for */
  int32_t algorithm;                 /**< equiconv_algorithm: direct, winograd or fourier */
  int32_t tile;                      /**< fourier: points, winograd: outputs of a tile on each axis; direct: 0 */
  int32_t threads;                   /**< threads that the call uses */
  double operations;                 /**< floating-point operations made, 2 for a multiply-add */
  double definition_operations;      /**< those of the layer's definition, as equiconv_plan_flops */
  int64_t workspace_bytes;           /**< memory of the call, all threads together, besides arrays and weights */
  int64_t weight_bytes;              /**< transformed weights, which are kept for the next call */
  double seconds;                    /**< estimated time; with the transform of the weights, unless `prepared` */
  char reason[EQUICONV_REASON_SIZE]; /**< why this algorithm: a sentence in UTF-8, cut where it is longer */
} equiconv_explanation;

#define EQUICONV_EXPLANATION_INIT \
  { sizeof(equiconv_explanation), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0} }

/**
 * Explains how `plan` computes a pass (equiconv_pass) of `batch` images, with the present number of threads and limit of
 * workspace; nothing is computed. Errors: STRUCT_SIZE, INVALID_ENUM (also for `prepared` where it is not 0 or 1, or not
 * with a forward pass), INVALID_SIZE; UNSUPPORTED_ALGORITHM where the call itself would give it, with its message.
 */
EQUICONV_API equiconv_status equiconv_plan_explain(const equiconv_plan *plan, int32_t pass, int64_t batch,
                                                   equiconv_explanation *explanation);

/** The most axes a signal or weight has: batch, channels, |H|, three of space. */
#define EQUICONV_MAX_RANK 6

/** Shape of the input for `batch`: `rank` sizes are written to shape[0 .. rank - 1], the rest of shape is set to 1. */
EQUICONV_API equiconv_status equiconv_plan_get_input_shape(const equiconv_plan *plan, int64_t batch,
                                                           int64_t shape[EQUICONV_MAX_RANK], int32_t *rank);
/** Shape of the output for `batch`. */
EQUICONV_API equiconv_status equiconv_plan_get_output_shape(const equiconv_plan *plan, int64_t batch,
                                                            int64_t shape[EQUICONV_MAX_RANK], int32_t *rank);
/** Shape of the weight. */
EQUICONV_API equiconv_status equiconv_plan_get_weight_shape(const equiconv_plan *plan,
                                                            int64_t shape[EQUICONV_MAX_RANK], int32_t *rank);
/** Shape (O |Y|, C |X|, kernel...) of the bank written by equiconv_plan_expand. */
EQUICONV_API equiconv_status equiconv_plan_get_bank_shape(const equiconv_plan *plan, int64_t shape[EQUICONV_MAX_RANK],
                                                          int32_t *rank);
/** Extents of the taps on which all elements sample the kernel: larger than `kernel` if some enlarge it; 1 beyond d. */
EQUICONV_API equiconv_status equiconv_plan_get_sampled_kernel(const equiconv_plan *plan, int64_t extents[3]);
/**
 * (spatial + 2 padding - reach) mod stride on array axis `axis`. Where it is not 0 the strided grid is not
 * symmetric about the centre, and rotations or reflections of that axis do not commute with the layer.
 */
EQUICONV_API equiconv_status equiconv_plan_get_stride_remainder(const equiconv_plan *plan, int32_t axis,
                                                                int64_t *remainder);
/** Floating-point operations (2 per multiply-add) of the definition for one forward run; 0 if `plan` is NULL. */
EQUICONV_API double equiconv_plan_flops(const equiconv_plan *plan, int64_t batch);

/* ---- Action and pooling ---------------------------------------------------------------------------------- */

/**
 * The action of an element g that maps the grid to itself on a signal, exact: (L_g f)(x) = f(g^-1 x) about the centre of
 * the array, and (L_g f)(h', x) = f(g^-1 h', g^-1 x) on a group signal.
 * `spatial` has the d input sizes; where g exchanges axes the output has them exchanged too. `output` has as many
 * numbers as `input` and must not overlap it. `signal` is an equiconv_signal.
 * Error: UNSUPPORTED_GROUP for an element whose matrix is not a signed permutation, such as a turn by 45 degrees.
 */
EQUICONV_API equiconv_status equiconv_act(const equiconv_group *group, int64_t element, int32_t dtype, int32_t signal,
                                          int64_t batch, int64_t channels, const int64_t *spatial, const void *input,
                                          void *output);
/**
 * The same on a signal (batch, channels, |H/K|, spatial...) on R^d x H/K: (L_g f)(p, x) = f(g^-1 p, g^-1 x), for the
 * stabilizer K given by its `count` elements. Error: NOT_A_SUBGROUP.
 */
EQUICONV_API equiconv_status equiconv_act_on(const equiconv_group *group, int64_t element, int32_t dtype,
                                             const int32_t *stabilizer, int64_t count, int64_t batch, int64_t channels,
                                             const int64_t *spatial, const void *input, void *output);

/**
 * Mean or maximum over H: input (outer, order, inner) -> output (outer, inner), where outer = batch * channels and
 * inner is the product of the spatial sizes. The mean is accumulated in double, in an order that depends only
 * on the values, so that it commutes with every permutation of H to the last bit. A maximum over values with a NaN is NaN.
 */
EQUICONV_API equiconv_status equiconv_group_pool(int32_t dtype, int32_t mode, int64_t outer, int64_t order,
                                                 int64_t inner, const void *input, void *output);
/**
 * Gradient of equiconv_group_pool: grad_output (outer, inner) -> grad_input (outer, order, inner). The mean spreads it
 * evenly; the maximum gives it to the largest value, in equal parts if several are equal. `input` may be NULL
 * for the mean.
 */
EQUICONV_API equiconv_status equiconv_group_pool_vjp(int32_t dtype, int32_t mode, int64_t outer, int64_t order,
                                                     int64_t inner, const void *grad_output, const void *input,
                                                     void *grad_input);

/* ---- Threads and hardware -------------------------------------------------------------------------------- */

/**
 * Sets the number of threads used by large calls, the calling one included: 1...1024. Results of direct do not
 * change; what auto takes, and the tile of others, may.
 */
EQUICONV_API equiconv_status equiconv_set_num_threads(int32_t count);
/** The number of threads used by large calls. */
EQUICONV_API int32_t equiconv_get_num_threads(void);
/**
 * Sets how many bytes of workspace fourier and winograd may use for each thread: at least 2^20, 2^26 (64 MiB) to begin
 * with. It is kept to by working on fewer tiles and channels at a time, never by failing; only where the smallest
 * possible part needs more is it exceeded. Results may change in their last bits. Direct needs no more than a padded copy
 * of the input. Calls that are running are not concerned. Error: INVALID_SIZE.
 */
EQUICONV_API equiconv_status equiconv_set_workspace_limit(int64_t bytes);
/** The bytes of workspace for each thread. */
EQUICONV_API int64_t equiconv_workspace_limit(void);
/** The instruction set in use: "baseline", "avx2" or "avx512". */
EQUICONV_API const char *equiconv_instruction_set(void);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_H */

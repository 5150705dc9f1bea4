/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/types.h: statuses, messages and enumerations. A part of equiconv.h: include that. */
#ifndef EQUICONV_TYPES_H
#define EQUICONV_TYPES_H

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

/* ---- Status -------------------------------------------------------------------------------------------- */

/** The outcome of a call. Numbers are frozen; new ones may be added inside each hundred. */
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
  EQUICONV_ERROR_ANISOTROPIC = 116, /**< kernel, stride, padding or dilation differ along axes that H exchanges */
  EQUICONV_ERROR_DIMENSION_MISMATCH = 117, /**< the group acts on another number of axes */
  EQUICONV_ERROR_SIZE_OVERFLOW = 118,      /**< a byte size does not fit in 63 bits */
  EQUICONV_ERROR_INVALID_BASIS = 119,      /**< a basis that does not exist, or does not fit the layer */
  EQUICONV_ERROR_DTYPE_MISMATCH = 120,     /**< an equiconv_weight of another dtype than the layer */
  EQUICONV_ERROR_INVALID_TEXT = 121,       /**< not the text of a layer, group or basis */
  EQUICONV_ERROR_INVALID_ARRAY = 122,      /**< an array that does not fit a network: shape, bytes or name */
  EQUICONV_ERROR_INVALID_FILE = 123,       /**< not a network file */
  EQUICONV_ERROR_INVALID_DOCUMENT = 124,   /**< a network that says what it may not say, or does not fit its tensors */
  EQUICONV_ERROR_FAILED_TEST = 125,        /**< a network file whose own test does not hold */

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
  EQUICONV_ERROR_OUT_OF_MEMORY = 300, /**< an allocation of at least 64 KiB failed */
  EQUICONV_ERROR_TOO_LARGE = 301,     /**< beyond a limit of this library: |X| * |Y| * taps > 2^22, or of files */
  EQUICONV_ERROR_FILE_SYSTEM = 302,   /**< a file could not be opened, read or written */

  /* 4xx: valid, but not available */
  EQUICONV_ERROR_UNSUPPORTED_GROUP = 400,     /**< an action by an element that does not map the grid to itself */
  EQUICONV_ERROR_UNSUPPORTED_ALGORITHM = 401, /**< the algorithm is not available for this call */
  EQUICONV_ERROR_UNSUPPORTED_VERSION = 402,   /**< a network file of a version that this library does not read */
  EQUICONV_ERROR_UNSUPPORTED_OPERATION = 403, /**< a network with an operation that this library does not know */

  /* 5xx: ended by the caller */
  EQUICONV_ERROR_CANCELLED = 500 /**< the caller ended the call; its output arrays are undefined */
} equiconv_status;

/** The name of a status, for example "EQUICONV_ERROR_OVERLAP"; "unknown status" for a number not listed. */
EQUICONV_API const char *equiconv_status_name(equiconv_status status);

/**
 * The message of the last call that failed on this thread: argument, value, and what was expected.
 * UTF-8, never NULL, "" if no call has failed. Valid until the next failing call on this thread. It belongs to the
 * thread, not to the caller. In a language that moves tasks between threads (Go, C# and Rust with async, Julia), read
 * it before the task can move, or take the message of an equiconv_call.
 */
EQUICONV_API const char *equiconv_last_error_message(void);

/* ---- Enumerations (frozen numbers; 4 bytes) ------------------------------------------------------------- */

typedef enum equiconv_layer_kind {
  EQUICONV_LAYER_ISOTROPIC = 0,  /**< R^d -> R^d */
  EQUICONV_LAYER_LIFTING = 1,    /**< R^d -> G   */
  EQUICONV_LAYER_GROUP = 2,      /**< G   -> G   */
  EQUICONV_LAYER_PROJECTION = 3, /**< G   -> R^d */
  EQUICONV_LAYER_GENERAL = 4     /**< R^d x H/K -> R^d x H/K', by the stabilizers of the descriptor */
} equiconv_layer_kind;

typedef enum equiconv_dtype {
  EQUICONV_FLOAT32 = 0, /**< float  */
  EQUICONV_FLOAT64 = 1  /**< double */
} equiconv_dtype;

typedef enum equiconv_padding_mode {
  EQUICONV_PADDING_ZEROS = 0,    /**< zeros around the signal */
  EQUICONV_PADDING_CIRCULAR = 1, /**< the signal is periodic */
  EQUICONV_PADDING_REFLECT = 2,  /**< the signal is mirrored in its first and last number, which are not repeated */
  EQUICONV_PADDING_REPLICATE = 3 /**< the first and the last number go on */
} equiconv_padding_mode;

typedef enum equiconv_algorithm {
  EQUICONV_ALGORITHM_AUTO = 0,          /**< what is expected to be fastest, bitwise equivariant if that costs little */
  EQUICONV_ALGORITHM_DIRECT = 1,        /**< the definition: bitwise equivariant; every layer */
  EQUICONV_ALGORITHM_WINOGRAD = 2,      /**< tiles of 3 x 3 kernels, stride 1, 2-D */
  EQUICONV_ALGORITHM_FOURIER = 3,       /**< tiles in the frequency domain, stride 1, 2-D */
  EQUICONV_ALGORITHM_GROUP_FOURIER = 4, /**< sums over H by representations of H: bitwise equivariant */
  EQUICONV_ALGORITHM_EXACT = 5          /**< what is expected to be fastest of all that is bitwise equivariant */
} equiconv_algorithm;

/** A computation of a plan for which an algorithm is chosen. */
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
  EQUICONV_POOL_MAX = 1,
} equiconv_pool_mode;

/** An axis of space: x = column, y = -row, z = -depth. */
typedef enum equiconv_axis {
  EQUICONV_AXIS_X = 0,
  EQUICONV_AXIS_Y = 1,
  EQUICONV_AXIS_Z = 2,
} equiconv_axis;

typedef enum equiconv_signal {
  EQUICONV_SIGNAL_PLANE = 0, /**< (batch, channels, spatial...)      */
  EQUICONV_SIGNAL_GROUP = 1  /**< (batch, channels, |H|, spatial...) */
} equiconv_signal;

/** The most axes a signal or weight has: batch, channels, |H|, three of space. */
#define EQUICONV_MAX_RANK 6

/* Fields and parameters of these types have the size of an int32_t: a program compiled with -fshort-enums would not. */
#if defined(__cplusplus)
static_assert(sizeof(equiconv_status) == 4 && sizeof(equiconv_layer_kind) == 4, "enumerations have 4 bytes");
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(equiconv_status) == 4 && sizeof(equiconv_layer_kind) == 4, "enumerations have 4 bytes");
#endif

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_TYPES_H */

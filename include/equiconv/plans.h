/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/plans.h: plans, prepared weights, and what can be asked of a plan. A part of equiconv.h: include that. */
#ifndef EQUICONV_PLANS_H
#define EQUICONV_PLANS_H

#include "layers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Plans: describe once, run often ------------------------------------------------------------------- */

/**
 * A layer with everything worked out that does not depend on the numbers: sizes, stencils, blocking. Opaque,
 * immutable, safe to run from several threads at once. The batch is given at each run.
 */
typedef struct equiconv_plan equiconv_plan;

/**
 * Makes a plan, which the caller ends with equiconv_plan_destroy. Cost: O(|X| |Y| taps), and with a basis or a group
 * that is not a lattice group times the functions that are not 0 at a point: up to 2^d or 4^d of pixels (bilinear,
 * bicubic) and (degree + 1)^d of B-splines as wide as their centers are apart, all of other bases and of bspline3.
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
 * padding grows by half of what that is larger than the descriptor's, times the dilation. Channel o |Y| + h of the
 * output and c |X| + h' of the input.
 * bank[o,h,c,h'](u) = k[o,c](h^-1 h', h^-1 u) / |det h|, or kbar for isotropic and projection layers.
 */
EQUICONV_API equiconv_status equiconv_plan_expand(const equiconv_plan *plan, const void *weight, void *bank);

/* ---- Prepared weights ---------------------------------------------------------------------------------- */

/**
 * A layer's weight, copied once and transformed once, for inference: pass it to forward calls in place of the array. It
 * is transformed when a call first needs that, and the transforms are kept until equiconv_weight_destroy; the array
 * that it was copied from may change or be freed. Opaque, shared safely between threads, and by plans that differ in
 * sizes or batch. Direct gives the bits of the same call with the array, and so do the others with the same tile. Since
 * transforms are not part of a call, another tile, and with auto another algorithm, may be the fastest: see `prepared`
 * of equiconv_explanation.
 */
typedef struct equiconv_weight equiconv_weight;

/**
 * Copies `count` numbers of `dtype`, the product of equiconv_plan_get_weight_shape; the caller ends the handle with
 * equiconv_weight_destroy. Errors: INVALID_ENUM, INVALID_SIZE, SIZE_OVERFLOW, MISALIGNED_POINTER, OUT_OF_MEMORY.
 */
EQUICONV_API equiconv_status equiconv_weight_create(equiconv_dtype dtype, int64_t count, const void *numbers,
                                                    equiconv_weight **weight);
/** The same, with the dtype and count of a plan. */
EQUICONV_API equiconv_status equiconv_plan_prepare(const equiconv_plan *plan, const void *numbers,
                                                   equiconv_weight **weight);
/** Ends a handle. NULL is fine. */
EQUICONV_API void equiconv_weight_destroy(equiconv_weight *weight);
/**
 * Copies its numbers back, as they were when it was made, to an array of `count` numbers of its dtype: to send them to
 * another process, for example. Errors: INVALID_SIZE for another count, MISALIGNED_POINTER.
 */
EQUICONV_API equiconv_status equiconv_weight_get_numbers(const equiconv_weight *weight, int64_t count, void *numbers);
/** Memory it holds: the copy and the transforms made so far; 0 if `weight` is NULL. */
EQUICONV_API int64_t equiconv_weight_bytes(const equiconv_weight *weight);

/** equiconv_plan_forward with a prepared weight. Errors, besides those: DTYPE_MISMATCH; INVALID_SIZE for its count. */
EQUICONV_API equiconv_status equiconv_plan_forward_prepared(const equiconv_plan *plan, int64_t batch, const void *input,
                                                            const equiconv_weight *weight, const void *bias,
                                                            void *output);
/** The simple call of the layer that the descriptor's field `layer` names, with a prepared weight. */
EQUICONV_API equiconv_status equiconv_forward_prepared(const equiconv_descriptor *descriptor, int64_t batch,
                                                       const void *input, const equiconv_weight *weight,
                                                       const void *bias, void *output);

/* ---- Queries ------------------------------------------------------------------------------------------- */

/** Bytes of equiconv_explanation.reason, the closing 0 included. */
#define EQUICONV_REASON_SIZE 512

/**
 * Which algorithm a call uses, and what it costs. Begin with `= EQUICONV_EXPLANATION_INIT`. The sizes of memory are
 * exact; `seconds` is the estimate of a cost model of the processor, of one call with nothing else running.
 */
typedef struct equiconv_explanation {
  size_t struct_size;                /**< sizeof(equiconv_explanation), given by the caller */
  int32_t prepared;                  /**< given by the caller: 1 for a forward call with an equiconv_weight, else 0 */
  equiconv_pass pass;                /**< as asked for */
  equiconv_algorithm algorithm;      /**< what is used: direct, winograd, fourier or group-fourier */
  int32_t tile;                      /**< fourier: points, winograd: outputs of a tile on each axis; else 0 */
  int32_t threads;                   /**< threads that the call uses */
  int32_t is_exact;                  /**< 1 if the pass is bitwise equivariant, else 0; see EXACTNESS in equiconv.h */
  double operations;                 /**< floating-point operations made, 2 for a multiply-add */
  double definition_operations;      /**< those of the layer's definition, as equiconv_plan_flops */
  int64_t workspace_bytes;           /**< memory of the call, all threads together, besides arrays and weights */
  int64_t weight_bytes;              /**< transformed weights, which are kept for the next call */
  double seconds;                    /**< estimated time; with the transform of the weights, unless `prepared` */
  char reason[EQUICONV_REASON_SIZE]; /**< why this algorithm: a sentence in UTF-8, cut if it is longer */
} equiconv_explanation;

#define EQUICONV_EXPLANATION_INIT \
  {sizeof(equiconv_explanation), 0, EQUICONV_PASS_FORWARD, EQUICONV_ALGORITHM_AUTO, 0, 0, 0, 0, 0, 0, 0, 0, {0}}

/** Sets what EQUICONV_EXPLANATION_INIT does, for languages that see no macros. NULL is fine. */
EQUICONV_API void equiconv_explanation_init(equiconv_explanation *explanation);

/**
 * Says how `plan` computes a pass (equiconv_pass) of `batch` images, with the current number of threads and limit of
 * workspace. Nothing is computed. Errors: STRUCT_SIZE, INVALID_ENUM (also if `prepared` is not 0 or 1, or is 1 for
 * another pass than forward), INVALID_SIZE; UNSUPPORTED_ALGORITHM if the call itself would fail with it, with its
 * message.
 */
EQUICONV_API equiconv_status equiconv_plan_explain(const equiconv_plan *plan, equiconv_pass pass, int64_t batch,
                                                   equiconv_explanation *explanation);

/** Shape of the input for `batch`: `rank` sizes are written to shape[0 .. rank - 1], the rest of shape is set to 1. */
EQUICONV_API equiconv_status equiconv_plan_get_input_shape(const equiconv_plan *plan, int64_t batch,
                                                           int64_t shape[EQUICONV_MAX_RANK], int32_t *rank);
/** Shape of the output for `batch`. */
EQUICONV_API equiconv_status equiconv_plan_get_output_shape(const equiconv_plan *plan, int64_t batch,
                                                            int64_t shape[EQUICONV_MAX_RANK], int32_t *rank);
/** Shape of the weight. */
EQUICONV_API equiconv_status equiconv_plan_get_weight_shape(const equiconv_plan *plan, int64_t shape[EQUICONV_MAX_RANK],
                                                            int32_t *rank);
/** Shape (O |Y|, C |X|, kernel...) of the bank written by equiconv_plan_expand. */
EQUICONV_API equiconv_status equiconv_plan_get_bank_shape(const equiconv_plan *plan, int64_t shape[EQUICONV_MAX_RANK],
                                                          int32_t *rank);
/** Extents of the taps on which all elements sample the kernel: larger than `kernel` if some enlarge it; 1 beyond d. */
EQUICONV_API equiconv_status equiconv_plan_get_sampled_kernel(const equiconv_plan *plan, int64_t extents[3]);
/**
 * (spatial + 2 padding - reach) mod stride on array axis `axis`. Where it is not 0 the strided grid is not
 * symmetric about the center, and rotations or reflections of that axis do not commute with the layer.
 */
EQUICONV_API equiconv_status equiconv_plan_get_stride_remainder(const equiconv_plan *plan, int32_t axis,
                                                                int64_t *remainder);
/** Floating-point operations (2 per multiply-add) of the definition for one forward run; 0 if `plan` is NULL. */
EQUICONV_API double equiconv_plan_flops(const equiconv_plan *plan, int64_t batch);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_PLANS_H */

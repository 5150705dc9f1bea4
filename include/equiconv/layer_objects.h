/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/layer_objects.h: layers as objects, for inputs and weights of any size. A part of equiconv.h: include that. */
#ifndef EQUICONV_LAYER_OBJECTS_H
#define EQUICONV_LAYER_OBJECTS_H

#include "plans.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Layers as objects ---------------------------------------------------------------------------------- */

/**
 * A layer: all of a descriptor except its sizes and its dtype. Opaque, immutable, shared safely between threads. It
 * keeps what it needs of its group, bases and stabilizers, which may be destroyed before it. Its functions take the
 * shapes of the arrays. They find the plans of recent shapes in the cache of the simple calls without reading a
 * descriptor and without an allocation.
 */
typedef struct equiconv_layer equiconv_layer;

/** The sizes of an array: sizes[0 .. rank - 1]. The others are not read; where a shape is written, they are set to 1. */
typedef struct equiconv_shape {
  int32_t rank; /**< 0 to EQUICONV_MAX_RANK */
  int64_t sizes[EQUICONV_MAX_RANK];
} equiconv_shape;

/**
 * Makes a layer from a descriptor, whose fields dtype, in_channels, out_channels, spatial and kernel are not read; the
 * caller ends it with equiconv_layer_destroy. Errors: those of equiconv_plan_create that do not depend on sizes.
 */
EQUICONV_API equiconv_status equiconv_layer_create(const equiconv_descriptor *descriptor, equiconv_layer **layer);
/** Ends a layer. NULL is fine. */
EQUICONV_API void equiconv_layer_destroy(equiconv_layer *layer);

/**
 * Shape of the weight for so many channels and the kernel extents kernel[0 .. d - 1], which are not read if kernels are
 * made of other functions than pixels: (O, C, [|H|,] kernel...). C is that of each group of channels.
 */
EQUICONV_API equiconv_status equiconv_layer_get_weight_shape(const equiconv_layer *layer, int64_t out_channels,
                                                             int64_t in_channels, const int64_t *kernel,
                                                             equiconv_shape *weight);
/**
 * Shape of the output for an input and a weight of these shapes. No plan is made. Errors: DIMENSION_MISMATCH for a
 * number of axes and INVALID_SIZE for a size that does not fit the layer or the other shape; those of
 * equiconv_plan_create.
 */
EQUICONV_API equiconv_status equiconv_layer_get_output_shape(const equiconv_layer *layer, const equiconv_shape *input,
                                                             const equiconv_shape *weight, equiconv_shape *output);
/** (spatial + 2 padding - reach) mod stride on each axis, 0 beyond d; see equiconv_plan_get_stride_remainder. */
EQUICONV_API equiconv_status equiconv_layer_get_stride_remainders(const equiconv_layer *layer,
                                                                  const equiconv_shape *input,
                                                                  const equiconv_shape *weight, int64_t remainders[3]);
/** Shape (O |Y|, C |X|, kernel...) of the bank written by equiconv_layer_expand. */
EQUICONV_API equiconv_status equiconv_layer_get_bank_shape(const equiconv_layer *layer, const equiconv_shape *weight,
                                                           equiconv_shape *bank);
/** The plan of the layer for these shapes, whatever the batch: as equiconv_plan_create of a descriptor with its sizes. */
EQUICONV_API equiconv_status equiconv_layer_create_plan(const equiconv_layer *layer, equiconv_dtype dtype,
                                                        const equiconv_shape *input, const equiconv_shape *weight,
                                                        equiconv_plan **plan);

/*
 * The functions below compute what those of a plan compute, on arrays of `dtype` with these shapes; the shapes of the
 * other arrays follow from them. Errors: those of equiconv_layer_get_output_shape and of the function of the plan.
 */

/** output = layer(input, weight) + bias; `bias` may be NULL. */
EQUICONV_API equiconv_status equiconv_layer_forward(const equiconv_layer *layer, equiconv_dtype dtype,
                                                    const equiconv_shape *input_shape, const void *input,
                                                    const equiconv_shape *weight_shape, const void *weight,
                                                    const void *bias, void *output);
/** The same with a prepared weight of this shape. Errors, besides: DTYPE_MISMATCH; INVALID_SIZE for its count. */
EQUICONV_API equiconv_status equiconv_layer_forward_prepared(const equiconv_layer *layer, equiconv_dtype dtype,
                                                             const equiconv_shape *input_shape, const void *input,
                                                             const equiconv_shape *weight_shape,
                                                             const equiconv_weight *weight, const void *bias,
                                                             void *output);
/** Gradients, each of which may be NULL (not wanted); see equiconv_conv_vjp. */
EQUICONV_API equiconv_status equiconv_layer_vjp(const equiconv_layer *layer, equiconv_dtype dtype,
                                                const equiconv_shape *input_shape, const equiconv_shape *weight_shape,
                                                const void *grad_output, const void *input, const void *weight,
                                                void *grad_input, void *grad_weight, void *grad_bias);
/** The filter bank of the equal ordinary convolution, of the shape equiconv_layer_get_bank_shape; see
 * equiconv_plan_expand. */
EQUICONV_API equiconv_status equiconv_layer_expand(const equiconv_layer *layer, equiconv_dtype dtype,
                                                   const equiconv_shape *weight_shape, const void *weight, void *bank);
/** Says how a pass is computed; see equiconv_plan_explain. The batch is that of `input_shape`. */
EQUICONV_API equiconv_status equiconv_layer_explain(const equiconv_layer *layer, equiconv_dtype dtype,
                                                    equiconv_pass pass, const equiconv_shape *input_shape,
                                                    const equiconv_shape *weight_shape,
                                                    equiconv_explanation *explanation);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_LAYER_OBJECTS_H */

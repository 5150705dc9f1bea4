/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/layers.h: the descriptor of a layer, and layers in one call. A part of equiconv.h: include that. */
#ifndef EQUICONV_LAYERS_H
#define EQUICONV_LAYERS_H

#include "bases.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_LAYERS_H */

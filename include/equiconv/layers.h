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
 * What is convolved with what. Begin with `= EQUICONV_DESCRIPTOR_INIT` or equiconv_descriptor_init, which set
 * struct_size, strides, dilations and channel_groups to 1, and all else to 0. The first `dimension` entries of each array are used, in
 * the order of the array axes. kernel, stride, padding and dilation must agree along axes that the group exchanges or
 * mixes. The only pointers in it are handles, which are read during the call.
 *
 * Output sizes are (spatial + 2 padding - reach) / stride + 1, rounded down, with reach = dilation (kernel - 1) + 1.
 */
typedef struct equiconv_descriptor {
  size_t struct_size;                 /**< sizeof(equiconv_descriptor) */
  const equiconv_group *group;        /**< borrowed for the length of the call, as all handles here */
  equiconv_layer_kind layer;          /**< not read by the functions that name a layer */
  equiconv_dtype dtype;               /**< of every array */
  equiconv_padding_mode padding_mode; /**< what lies around the signal */
  equiconv_algorithm algorithm;       /**< how it is computed */
  int32_t dimension;                  /**< d; must be the group's */
  int32_t channel_groups;             /**< g >= 1: part i of g parts of the outputs reads part i of the inputs */
  int64_t in_channels;                /**< C >= 1 */
  int64_t out_channels;               /**< O >= 1 */
  int64_t spatial[3];                 /**< input sizes >= 1 */
  int64_t kernel[3];                  /**< kernel extents >= 1, odd or even */
  int64_t stride[3];                  /**< >= 1 */
  int64_t padding[3];                 /**< >= 0 on both sides, or EQUICONV_PADDING_SAME */
  int64_t dilation[3];                /**< >= 1 */

  const equiconv_basis *basis;                /**< of kernels, with the extents `kernel`; NULL: pixels */
  const equiconv_group_basis *group_basis;    /**< for signals on the group as input; NULL: a value for each element */
  const equiconv_subgroup *input_stabilizer;  /**< K, a subgroup of `group`: with EQUICONV_LAYER_GENERAL only */
  const equiconv_subgroup *output_stabilizer; /**< K' */
  equiconv_interpolation interpolation;       /**< of pixels; not read with a basis */
  int32_t quadrature;                         /**< 1: weight the sum over H as an integral by its measure; 0: do not */
} equiconv_descriptor;

/* clang-format off */
#define EQUICONV_DESCRIPTOR_INIT \
  { sizeof(equiconv_descriptor), NULL, \
    EQUICONV_LAYER_ISOTROPIC, EQUICONV_FLOAT32, EQUICONV_PADDING_ZEROS, EQUICONV_ALGORITHM_AUTO, 0, 1, 0, 0, \
    {0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, \
    NULL, NULL, NULL, NULL, EQUICONV_INTERPOLATION_BILINEAR, 0 }
/* clang-format on */

/** Sets what EQUICONV_DESCRIPTOR_INIT does, for languages that see no macros. NULL is fine. */
EQUICONV_API void equiconv_descriptor_init(equiconv_descriptor *descriptor);

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
                                                         const void *grad_output, const void *input, const void *weight,
                                                         void *grad_input, void *grad_weight, void *grad_bias);
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

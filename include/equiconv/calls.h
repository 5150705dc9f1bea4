/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/calls.h: status, message and cancellation of one call. A part of equiconv.h: include that. */
#ifndef EQUICONV_CALLS_H
#define EQUICONV_CALLS_H

#include "network.h"
#include "runtime.h"
#include "signals.h"
#include "texts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Calls: what happened to this very call, and a way to end it early ----------------------------------- */

/** Bytes of equiconv_call.message, with the closing 0. */
#define EQUICONV_MESSAGE_SIZE 1024

/**
 * Decides whether a call goes on, and receives its outcome. Begin with `= EQUICONV_CALL_INIT` or equiconv_call_init,
 * and set `is_cancelled` and `context` if the call may be cancelled. One struct serves any number of calls, one at a
 * time.
 */
typedef struct equiconv_call {
  size_t struct_size; /**< sizeof(equiconv_call), given by the caller */
  /**
   * Given by the caller, or NULL. A long call asks it now and then, on the thread that made the call and on no other.
   * Any answer but 0 ends the call, which then returns EQUICONV_ERROR_CANCELLED. It may call this library.
   */
  int32_t (*is_cancelled)(void *context);
  void *context;                       /**< given by the caller: what is_cancelled gets */
  equiconv_status status;              /**< what the function returned */
  char message[EQUICONV_MESSAGE_SIZE]; /**< why it failed, UTF-8, cut if it is longer; "" for a success */
} equiconv_call;

#define EQUICONV_CALL_INIT {sizeof(equiconv_call), NULL, NULL, EQUICONV_SUCCESS, {0}}

/** Sets what EQUICONV_CALL_INIT does, for languages that see no macros. NULL is fine. */
EQUICONV_API void equiconv_call_init(equiconv_call *call);

/*
 * For every function f of this library that returns an equiconv_status, f_with_call(arguments..., call) is
 * f(arguments...) with its status and message in *call. equiconv_last_error_message() belongs to the thread: if a
 * language moves its tasks between threads, as Go does, the message may be that of another task. It is set here too.
 *
 * With NULL for `call` this is f itself. Errors, besides those of f: STRUCT_SIZE and MISALIGNED_POINTER of `call`; then
 * nothing is written to `call`, and f does not run.
 */

/* Groups (groups.h) */

EQUICONV_API equiconv_status equiconv_group_create_trivial_with_call(int32_t dimension, equiconv_group **group,
                                                                     equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_cyclic_with_call(int64_t n, equiconv_group **group,
                                                                    equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_dihedral_with_call(int64_t n, equiconv_group **group,
                                                                      equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_reflection_with_call(equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_octahedral_with_call(equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_full_octahedral_with_call(equiconv_group **group,
                                                                             equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_tetrahedral_with_call(equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_pyritohedral_with_call(equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_icosahedral_with_call(equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_full_icosahedral_with_call(equiconv_group **group,
                                                                              equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_axial_cyclic_with_call(int64_t n, equiconv_axis axis,
                                                                          equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_axial_dihedral_with_call(int64_t n, equiconv_axis axis,
                                                                            equiconv_group **group,
                                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_scaling_with_call(int32_t dimension, int64_t count,
                                                                     const double *factors, equiconv_group **group,
                                                                     equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_similarity_with_call(int64_t n, int64_t count, const double *factors,
                                                                        equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_create_from_matrices_with_call(int32_t dimension, int64_t order,
                                                                           const double *matrices,
                                                                           equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_matrices_with_call(const equiconv_group *group, double *matrices,
                                                                   equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_cayley_with_call(const equiconv_group *group, int32_t *cayley,
                                                                 equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_inverses_with_call(const equiconv_group *group, int32_t *inverses,
                                                                   equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_determinants_with_call(const equiconv_group *group,
                                                                       double *determinants, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_quadrature_weights_with_call(const equiconv_group *group,
                                                                             double *weights, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_axis_actions_with_call(const equiconv_group *group, int32_t *axes,
                                                                       int32_t *signs, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_get_moved_axes_with_call(const equiconv_group *group, int32_t *moved,
                                                                     equiconv_call *call);
EQUICONV_API equiconv_status equiconv_array_matrix_with_call(int32_t dimension, const double *matrix,
                                                             double *array_matrix, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_subgroup_create_with_call(const equiconv_group *group, int64_t count,
                                                                const int32_t *elements, equiconv_subgroup **subgroup,
                                                                equiconv_call *call);
EQUICONV_API equiconv_status equiconv_subgroup_get_elements_with_call(const equiconv_subgroup *subgroup,
                                                                      int32_t *elements, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_subgroup_get_left_cosets_with_call(const equiconv_subgroup *subgroup,
                                                                         int32_t *coset, equiconv_call *call);

/* Bases of kernels (bases.h) */

EQUICONV_API equiconv_status equiconv_basis_create_pixel_with_call(int32_t dimension, const int64_t *extents,
                                                                   equiconv_interpolation interpolation,
                                                                   equiconv_basis **basis, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_bspline_with_call(int32_t dimension, const int64_t *extents,
                                                                     int32_t degree, double scale,
                                                                     equiconv_basis **basis, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_atrous_bspline_with_call(int32_t dimension, const int64_t *extents,
                                                                            int32_t degree, double spacing,
                                                                            equiconv_basis **basis,
                                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_round_bspline_with_call(int32_t dimension, const int64_t *extents,
                                                                           int32_t degree, double radius,
                                                                           equiconv_basis **basis, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_bspline_at_with_call(int32_t dimension, const int64_t *extents,
                                                                        int32_t degree, double scale, int64_t count,
                                                                        const double *centers, equiconv_basis **basis,
                                                                        equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_circular_harmonics_with_call(int64_t extent,
                                                                                int32_t highest_frequency,
                                                                                equiconv_basis **basis,
                                                                                equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_harmonic_rings_with_call(int64_t extent, int64_t count,
                                                                            const double *radii,
                                                                            const int32_t *frequencies, double sigma,
                                                                            equiconv_basis **basis,
                                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_create_gaussian_derivatives_with_call(int32_t dimension,
                                                                                  const int64_t *extents, int32_t order,
                                                                                  double sigma, equiconv_basis **basis,
                                                                                  equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_get_extents_with_call(const equiconv_basis *basis, int64_t extents[3],
                                                                  equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_sample_with_call(const equiconv_basis *basis, int64_t point_count,
                                                             const double *points, double *values, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_basis_create_localized_with_call(int64_t count, const int32_t *elements,
                                                                             equiconv_group_basis **group_basis,
                                                                             equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_basis_create_bspline_with_call(int32_t degree, int64_t count,
                                                                           const double *centers, double scale,
                                                                           equiconv_group_basis **group_basis,
                                                                           equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_basis_get_matrix_with_call(const equiconv_group_basis *group_basis,
                                                                       const equiconv_group *group, double *matrix,
                                                                       equiconv_call *call);

/* Layers in one call (layers.h) */

EQUICONV_API equiconv_status equiconv_isotropic_conv_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                               const void *input, const void *weight, const void *bias,
                                                               void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_lifting_conv_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                             const void *input, const void *weight, const void *bias,
                                                             void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_conv_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                           const void *input, const void *weight, const void *bias,
                                                           void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_projection_conv_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                                const void *input, const void *weight, const void *bias,
                                                                void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_conv_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                     const void *input, const void *weight, const void *bias,
                                                     void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_isotropic_conv_vjp_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                                   const void *grad_output, const void *input,
                                                                   const void *weight, void *grad_input,
                                                                   void *grad_weight, void *grad_bias,
                                                                   equiconv_call *call);
EQUICONV_API equiconv_status equiconv_lifting_conv_vjp_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                                 const void *grad_output, const void *input,
                                                                 const void *weight, void *grad_input,
                                                                 void *grad_weight, void *grad_bias,
                                                                 equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_conv_vjp_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                               const void *grad_output, const void *input,
                                                               const void *weight, void *grad_input, void *grad_weight,
                                                               void *grad_bias, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_projection_conv_vjp_with_call(const equiconv_descriptor *descriptor,
                                                                    int64_t batch, const void *grad_output,
                                                                    const void *input, const void *weight,
                                                                    void *grad_input, void *grad_weight,
                                                                    void *grad_bias, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_conv_vjp_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                         const void *grad_output, const void *input, const void *weight,
                                                         void *grad_input, void *grad_weight, void *grad_bias,
                                                         equiconv_call *call);

/* Plans and prepared weights (plans.h) */

EQUICONV_API equiconv_status equiconv_plan_create_with_call(const equiconv_descriptor *descriptor, equiconv_plan **plan,
                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_forward_with_call(const equiconv_plan *plan, int64_t batch,
                                                             const void *input, const void *weight, const void *bias,
                                                             void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_input_gradient_with_call(const equiconv_plan *plan, int64_t batch,
                                                                    const void *grad_output, const void *weight,
                                                                    void *grad_input, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_weight_gradient_with_call(const equiconv_plan *plan, int64_t batch,
                                                                     const void *grad_output, const void *input,
                                                                     void *grad_weight, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_bias_gradient_with_call(const equiconv_plan *plan, int64_t batch,
                                                                   const void *grad_output, void *grad_bias,
                                                                   equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_expand_with_call(const equiconv_plan *plan, const void *weight, void *bank,
                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_weight_create_with_call(equiconv_dtype dtype, int64_t count, const void *numbers,
                                                              equiconv_weight **weight, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_weight_get_numbers_with_call(const equiconv_weight *weight, int64_t count,
                                                                   void *numbers, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_prepare_with_call(const equiconv_plan *plan, const void *numbers,
                                                             equiconv_weight **weight, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_forward_prepared_with_call(const equiconv_plan *plan, int64_t batch,
                                                                      const void *input, const equiconv_weight *weight,
                                                                      const void *bias, void *output,
                                                                      equiconv_call *call);
EQUICONV_API equiconv_status equiconv_forward_prepared_with_call(const equiconv_descriptor *descriptor, int64_t batch,
                                                                 const void *input, const equiconv_weight *weight,
                                                                 const void *bias, void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_explain_with_call(const equiconv_plan *plan, equiconv_pass pass,
                                                             int64_t batch, equiconv_explanation *explanation,
                                                             equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_input_shape_with_call(const equiconv_plan *plan, int64_t batch,
                                                                     int64_t shape[EQUICONV_MAX_RANK], int32_t *rank,
                                                                     equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_output_shape_with_call(const equiconv_plan *plan, int64_t batch,
                                                                      int64_t shape[EQUICONV_MAX_RANK], int32_t *rank,
                                                                      equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_weight_shape_with_call(const equiconv_plan *plan,
                                                                      int64_t shape[EQUICONV_MAX_RANK], int32_t *rank,
                                                                      equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_bank_shape_with_call(const equiconv_plan *plan,
                                                                    int64_t shape[EQUICONV_MAX_RANK], int32_t *rank,
                                                                    equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_sampled_kernel_with_call(const equiconv_plan *plan, int64_t extents[3],
                                                                        equiconv_call *call);
EQUICONV_API equiconv_status equiconv_plan_get_stride_remainder_with_call(const equiconv_plan *plan, int32_t axis,
                                                                          int64_t *remainder, equiconv_call *call);

/* Layers as objects (layer_objects.h) */

EQUICONV_API equiconv_status equiconv_layer_create_with_call(const equiconv_descriptor *descriptor,
                                                             equiconv_layer **layer, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_get_weight_shape_with_call(const equiconv_layer *layer,
                                                                       int64_t out_channels, int64_t in_channels,
                                                                       const int64_t *kernel, equiconv_shape *weight,
                                                                       equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_get_output_shape_with_call(const equiconv_layer *layer,
                                                                       const equiconv_shape *input,
                                                                       const equiconv_shape *weight,
                                                                       equiconv_shape *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_get_stride_remainders_with_call(const equiconv_layer *layer,
                                                                            const equiconv_shape *input,
                                                                            const equiconv_shape *weight,
                                                                            int64_t remainders[3], equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_get_bank_shape_with_call(const equiconv_layer *layer,
                                                                     const equiconv_shape *weight, equiconv_shape *bank,
                                                                     equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_create_plan_with_call(const equiconv_layer *layer, equiconv_dtype dtype,
                                                                  const equiconv_shape *input,
                                                                  const equiconv_shape *weight, equiconv_plan **plan,
                                                                  equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_forward_with_call(const equiconv_layer *layer, equiconv_dtype dtype,
                                                              const equiconv_shape *input_shape, const void *input,
                                                              const equiconv_shape *weight_shape, const void *weight,
                                                              const void *bias, void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_forward_prepared_with_call(
    const equiconv_layer *layer, equiconv_dtype dtype, const equiconv_shape *input_shape, const void *input,
    const equiconv_shape *weight_shape, const equiconv_weight *weight, const void *bias, void *output,
    equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_vjp_with_call(const equiconv_layer *layer, equiconv_dtype dtype,
                                                          const equiconv_shape *input_shape,
                                                          const equiconv_shape *weight_shape, const void *grad_output,
                                                          const void *input, const void *weight, void *grad_input,
                                                          void *grad_weight, void *grad_bias, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_expand_with_call(const equiconv_layer *layer, equiconv_dtype dtype,
                                                             const equiconv_shape *weight_shape, const void *weight,
                                                             void *bank, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_explain_with_call(const equiconv_layer *layer, equiconv_dtype dtype,
                                                              equiconv_pass pass, const equiconv_shape *input_shape,
                                                              const equiconv_shape *weight_shape,
                                                              equiconv_explanation *explanation, equiconv_call *call);

/* Texts (texts.h) */

EQUICONV_API equiconv_status equiconv_layer_serialize_with_call(const equiconv_layer *layer, size_t capacity,
                                                                char *text, size_t *length, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_serialize_with_call(const equiconv_group *group, size_t capacity,
                                                                char *text, size_t *length, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_serialize_with_call(const equiconv_basis *basis, size_t capacity,
                                                                char *text, size_t *length, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_basis_serialize_with_call(const equiconv_group_basis *group_basis,
                                                                      size_t capacity, char *text, size_t *length,
                                                                      equiconv_call *call);
EQUICONV_API equiconv_status equiconv_layer_deserialize_with_call(const char *text, size_t length,
                                                                  equiconv_layer **layer, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_deserialize_with_call(const char *text, size_t length,
                                                                  equiconv_group **group, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_basis_deserialize_with_call(const char *text, size_t length,
                                                                  equiconv_basis **basis, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_basis_deserialize_with_call(const char *text, size_t length,
                                                                        equiconv_group_basis **group_basis,
                                                                        equiconv_call *call);

/* Networks (network.h) */

EQUICONV_API equiconv_status equiconv_network_open_with_call(const char *path, const equiconv_network_options *options,
                                                             equiconv_network **network, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_open_memory_with_call(const void *bytes, size_t length,
                                                                    const equiconv_network_options *options,
                                                                    equiconv_network **network, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_create_with_call(const char *document, size_t length,
                                                               const equiconv_tensor *tensors, int64_t count,
                                                               const equiconv_network_options *options,
                                                               equiconv_network **network, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_save_with_call(const equiconv_network *network, const char *path,
                                                             equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_describe_with_call(const equiconv_network *network, size_t capacity,
                                                                 char *text, size_t *length, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_get_dtype_with_call(const equiconv_network *network,
                                                                  equiconv_dtype *dtype, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_get_input_shape_with_call(const equiconv_network *network,
                                                                        equiconv_shape *shape, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_get_output_shape_with_call(const equiconv_network *network, int32_t index,
                                                                         const equiconv_shape *input,
                                                                         equiconv_shape *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_get_tensor_with_call(const equiconv_network *network, int64_t index,
                                                                   equiconv_tensor *tensor, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_reserve_with_call(const equiconv_network *network,
                                                                const equiconv_shape *input, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_run_with_call(const equiconv_network *network, equiconv_dtype dtype,
                                                            const equiconv_shape *input_shape, const void *input,
                                                            void *const *outputs, int32_t output_count,
                                                            equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_explain_with_call(const equiconv_network *network,
                                                                const equiconv_shape *input, size_t capacity,
                                                                char *text, size_t *length, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_network_check_with_call(const equiconv_network *network, equiconv_call *call);

/* Action and pooling (signals.h) */

EQUICONV_API equiconv_status equiconv_act_with_call(const equiconv_group *group, int64_t element, equiconv_dtype dtype,
                                                    equiconv_signal signal, int64_t batch, int64_t channels,
                                                    const int64_t *spatial, const void *input, void *output,
                                                    equiconv_call *call);
EQUICONV_API equiconv_status equiconv_act_on_with_call(const equiconv_group *group, int64_t element,
                                                       equiconv_dtype dtype, const equiconv_subgroup *stabilizer,
                                                       int64_t batch, int64_t channels, const int64_t *spatial,
                                                       const void *input, void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_pool_with_call(equiconv_dtype dtype, equiconv_pool_mode mode, int64_t outer,
                                                           int64_t order, int64_t inner, const void *input,
                                                           void *output, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_group_pool_vjp_with_call(equiconv_dtype dtype, equiconv_pool_mode mode,
                                                               int64_t outer, int64_t order, int64_t inner,
                                                               const void *grad_output, const void *input,
                                                               void *grad_input, equiconv_call *call);

/* Threads and workspace (runtime.h) */

EQUICONV_API equiconv_status equiconv_set_num_threads_with_call(int32_t count, equiconv_call *call);
EQUICONV_API equiconv_status equiconv_set_workspace_limit_with_call(int64_t bytes, equiconv_call *call);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_CALLS_H */

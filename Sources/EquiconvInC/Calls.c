// SPDX-License-Identifier: Apache-2.0
//
// The functions of equiconv/calls.h, from one list. The functions behind them are those of EquiconvC.
#include <stdint.h>
#include <string.h>

#include "EquiconvInterruption.h"
#include "equiconv.h"

/// The status and the message for a call struct that is not one. Swift: EquiconvC/Calls.swift.
equiconv_status _equiconv_refuse_call(const equiconv_call *call);

/// What a call installs, and what was there before.
typedef struct {
  equiconv_call *call;
  equiconv_interruption interruption;
  const equiconv_interruption *previous;
} Frame;

/// Asks the caller, who may call this library meanwhile: those calls are not asked about with this one.
static int32_t poll(void *context) {
  const Frame *frame = context;
  equiconv_set_interruption_of_thread(NULL);
  const int32_t ends = frame->call->is_cancelled(frame->call->context);
  equiconv_set_interruption_of_thread(&frame->interruption);
  return ends;
}

static equiconv_status begin(Frame *frame, equiconv_call *call) {
  *frame = (Frame){.call = call};
  if (call == NULL) return EQUICONV_SUCCESS;
  if ((uintptr_t)call % _Alignof(equiconv_call) != 0 || call->struct_size != sizeof *call) {
    return _equiconv_refuse_call(call);
  }
  frame->previous = equiconv_interruption_of_thread();
  frame->interruption = (equiconv_interruption){.poll = poll, .context = frame};
  equiconv_set_interruption_of_thread(call->is_cancelled == NULL ? NULL : &frame->interruption);
  return EQUICONV_SUCCESS;
}

/// Copies a message, or as many of its whole characters as fit.
static void copy(char *target, const char *message) {
  size_t length = strnlen(message, EQUICONV_MESSAGE_SIZE);
  if (length == EQUICONV_MESSAGE_SIZE) {
    length -= 1;
    // A byte 10xxxxxx continues a character.
    while (length > 0 && ((unsigned char)message[length] & 0xC0) == 0x80) length -= 1;
  }
  memcpy(target, message, length);
  target[length] = 0;
}

static equiconv_status end(const Frame *frame, equiconv_status status) {
  equiconv_call *call = frame->call;
  if (call == NULL) return status;
  equiconv_set_interruption_of_thread(frame->previous);
  call->status = status;
  copy(call->message, status == EQUICONV_SUCCESS ? "" : equiconv_last_error_message());
  return status;
}

/// WITH_CALL(function, (names of its parameters), its parameters...)
#define WITH_CALL(function, names, ...)                                         \
  equiconv_status function##_with_call(__VA_ARGS__, equiconv_call *call) {      \
    Frame frame;                                                                \
    const equiconv_status refused = begin(&frame, call);                        \
    return refused == EQUICONV_SUCCESS ? end(&frame, function names) : refused; \
  }

// Groups (groups.h)
WITH_CALL(equiconv_group_create_trivial, (dimension, group), int32_t dimension, equiconv_group **group)
WITH_CALL(equiconv_group_create_cyclic, (n, group), int64_t n, equiconv_group **group)
WITH_CALL(equiconv_group_create_dihedral, (n, group), int64_t n, equiconv_group **group)
WITH_CALL(equiconv_group_create_reflection, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_octahedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_full_octahedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_tetrahedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_pyritohedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_icosahedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_full_icosahedral, (group), equiconv_group **group)
WITH_CALL(equiconv_group_create_axial_cyclic, (n, axis, group), int64_t n, equiconv_axis axis, equiconv_group **group)
WITH_CALL(equiconv_group_create_axial_dihedral, (n, axis, group), int64_t n, equiconv_axis axis, equiconv_group **group)
WITH_CALL(equiconv_group_create_scaling, (dimension, count, factors, group), int32_t dimension, int64_t count,
          const double *factors, equiconv_group **group)
WITH_CALL(equiconv_group_create_similarity, (n, count, factors, group), int64_t n, int64_t count, const double *factors,
          equiconv_group **group)
WITH_CALL(equiconv_group_create_from_matrices, (dimension, order, matrices, group), int32_t dimension, int64_t order,
          const double *matrices, equiconv_group **group)
WITH_CALL(equiconv_group_get_matrices, (group, matrices), const equiconv_group *group, double *matrices)
WITH_CALL(equiconv_group_get_cayley, (group, cayley), const equiconv_group *group, int32_t *cayley)
WITH_CALL(equiconv_group_get_inverses, (group, inverses), const equiconv_group *group, int32_t *inverses)
WITH_CALL(equiconv_group_get_determinants, (group, determinants), const equiconv_group *group, double *determinants)
WITH_CALL(equiconv_group_get_quadrature_weights, (group, weights), const equiconv_group *group, double *weights)
WITH_CALL(equiconv_group_get_axis_actions, (group, axes, signs), const equiconv_group *group, int32_t *axes,
          int32_t *signs)
WITH_CALL(equiconv_group_get_moved_axes, (group, moved), const equiconv_group *group, int32_t *moved)
WITH_CALL(equiconv_array_matrix, (dimension, matrix, array_matrix), int32_t dimension, const double *matrix,
          double *array_matrix)
WITH_CALL(equiconv_subgroup_create, (group, count, elements, subgroup), const equiconv_group *group, int64_t count,
          const int32_t *elements, equiconv_subgroup **subgroup)
WITH_CALL(equiconv_subgroup_get_elements, (subgroup, elements), const equiconv_subgroup *subgroup, int32_t *elements)
WITH_CALL(equiconv_subgroup_get_left_cosets, (subgroup, coset), const equiconv_subgroup *subgroup, int32_t *coset)

// Bases of kernels (bases.h)
WITH_CALL(equiconv_basis_create_pixel, (dimension, extents, interpolation, basis), int32_t dimension,
          const int64_t *extents, equiconv_interpolation interpolation, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_bspline, (dimension, extents, degree, scale, basis), int32_t dimension,
          const int64_t *extents, int32_t degree, double scale, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_atrous_bspline, (dimension, extents, degree, spacing, basis), int32_t dimension,
          const int64_t *extents, int32_t degree, double spacing, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_round_bspline, (dimension, extents, degree, radius, basis), int32_t dimension,
          const int64_t *extents, int32_t degree, double radius, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_bspline_at, (dimension, extents, degree, scale, count, centers, basis),
          int32_t dimension, const int64_t *extents, int32_t degree, double scale, int64_t count, const double *centers,
          equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_circular_harmonics, (extent, highest_frequency, basis), int64_t extent,
          int32_t highest_frequency, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_harmonic_rings, (extent, count, radii, frequencies, sigma, basis), int64_t extent,
          int64_t count, const double *radii, const int32_t *frequencies, double sigma, equiconv_basis **basis)
WITH_CALL(equiconv_basis_create_gaussian_derivatives, (dimension, extents, order, sigma, basis), int32_t dimension,
          const int64_t *extents, int32_t order, double sigma, equiconv_basis **basis)
WITH_CALL(equiconv_basis_get_extents, (basis, extents), const equiconv_basis *basis, int64_t extents[3])
WITH_CALL(equiconv_basis_sample, (basis, point_count, points, values), const equiconv_basis *basis, int64_t point_count,
          const double *points, double *values)
WITH_CALL(equiconv_group_basis_create_localized, (count, elements, group_basis), int64_t count, const int32_t *elements,
          equiconv_group_basis **group_basis)
WITH_CALL(equiconv_group_basis_create_bspline, (degree, count, centers, scale, group_basis), int32_t degree,
          int64_t count, const double *centers, double scale, equiconv_group_basis **group_basis)
WITH_CALL(equiconv_group_basis_get_matrix, (group_basis, group, matrix), const equiconv_group_basis *group_basis,
          const equiconv_group *group, double *matrix)

// Layers in one call (layers.h)
WITH_CALL(equiconv_isotropic_conv, (descriptor, batch, input, weight, bias, output),
          const equiconv_descriptor *descriptor, int64_t batch, const void *input, const void *weight, const void *bias,
          void *output)
WITH_CALL(equiconv_lifting_conv, (descriptor, batch, input, weight, bias, output),
          const equiconv_descriptor *descriptor, int64_t batch, const void *input, const void *weight, const void *bias,
          void *output)
WITH_CALL(equiconv_group_conv, (descriptor, batch, input, weight, bias, output), const equiconv_descriptor *descriptor,
          int64_t batch, const void *input, const void *weight, const void *bias, void *output)
WITH_CALL(equiconv_projection_conv, (descriptor, batch, input, weight, bias, output),
          const equiconv_descriptor *descriptor, int64_t batch, const void *input, const void *weight, const void *bias,
          void *output)
WITH_CALL(equiconv_conv, (descriptor, batch, input, weight, bias, output), const equiconv_descriptor *descriptor,
          int64_t batch, const void *input, const void *weight, const void *bias, void *output)
WITH_CALL(equiconv_isotropic_conv_vjp,
          (descriptor, batch, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_descriptor *descriptor, int64_t batch, const void *grad_output, const void *input,
          const void *weight, void *grad_input, void *grad_weight, void *grad_bias)
WITH_CALL(equiconv_lifting_conv_vjp,
          (descriptor, batch, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_descriptor *descriptor, int64_t batch, const void *grad_output, const void *input,
          const void *weight, void *grad_input, void *grad_weight, void *grad_bias)
WITH_CALL(equiconv_group_conv_vjp, (descriptor, batch, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_descriptor *descriptor, int64_t batch, const void *grad_output, const void *input,
          const void *weight, void *grad_input, void *grad_weight, void *grad_bias)
WITH_CALL(equiconv_projection_conv_vjp,
          (descriptor, batch, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_descriptor *descriptor, int64_t batch, const void *grad_output, const void *input,
          const void *weight, void *grad_input, void *grad_weight, void *grad_bias)
WITH_CALL(equiconv_conv_vjp, (descriptor, batch, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_descriptor *descriptor, int64_t batch, const void *grad_output, const void *input,
          const void *weight, void *grad_input, void *grad_weight, void *grad_bias)

// Plans and prepared weights (plans.h)
WITH_CALL(equiconv_plan_create, (descriptor, plan), const equiconv_descriptor *descriptor, equiconv_plan **plan)
WITH_CALL(equiconv_plan_forward, (plan, batch, input, weight, bias, output), const equiconv_plan *plan, int64_t batch,
          const void *input, const void *weight, const void *bias, void *output)
WITH_CALL(equiconv_plan_input_gradient, (plan, batch, grad_output, weight, grad_input), const equiconv_plan *plan,
          int64_t batch, const void *grad_output, const void *weight, void *grad_input)
WITH_CALL(equiconv_plan_weight_gradient, (plan, batch, grad_output, input, grad_weight), const equiconv_plan *plan,
          int64_t batch, const void *grad_output, const void *input, void *grad_weight)
WITH_CALL(equiconv_plan_bias_gradient, (plan, batch, grad_output, grad_bias), const equiconv_plan *plan, int64_t batch,
          const void *grad_output, void *grad_bias)
WITH_CALL(equiconv_plan_expand, (plan, weight, bank), const equiconv_plan *plan, const void *weight, void *bank)
WITH_CALL(equiconv_weight_create, (dtype, count, numbers, weight), equiconv_dtype dtype, int64_t count,
          const void *numbers, equiconv_weight **weight)
WITH_CALL(equiconv_weight_get_numbers, (weight, count, numbers), const equiconv_weight *weight, int64_t count,
          void *numbers)
WITH_CALL(equiconv_plan_prepare, (plan, numbers, weight), const equiconv_plan *plan, const void *numbers,
          equiconv_weight **weight)
WITH_CALL(equiconv_plan_forward_prepared, (plan, batch, input, weight, bias, output), const equiconv_plan *plan,
          int64_t batch, const void *input, const equiconv_weight *weight, const void *bias, void *output)
WITH_CALL(equiconv_forward_prepared, (descriptor, batch, input, weight, bias, output),
          const equiconv_descriptor *descriptor, int64_t batch, const void *input, const equiconv_weight *weight,
          const void *bias, void *output)
WITH_CALL(equiconv_plan_explain, (plan, pass, batch, explanation), const equiconv_plan *plan, equiconv_pass pass,
          int64_t batch, equiconv_explanation *explanation)
WITH_CALL(equiconv_plan_get_input_shape, (plan, batch, shape, rank), const equiconv_plan *plan, int64_t batch,
          int64_t shape[EQUICONV_MAX_RANK], int32_t *rank)
WITH_CALL(equiconv_plan_get_output_shape, (plan, batch, shape, rank), const equiconv_plan *plan, int64_t batch,
          int64_t shape[EQUICONV_MAX_RANK], int32_t *rank)
WITH_CALL(equiconv_plan_get_weight_shape, (plan, shape, rank), const equiconv_plan *plan,
          int64_t shape[EQUICONV_MAX_RANK], int32_t *rank)
WITH_CALL(equiconv_plan_get_bank_shape, (plan, shape, rank), const equiconv_plan *plan,
          int64_t shape[EQUICONV_MAX_RANK], int32_t *rank)
WITH_CALL(equiconv_plan_get_sampled_kernel, (plan, extents), const equiconv_plan *plan, int64_t extents[3])
WITH_CALL(equiconv_plan_get_stride_remainder, (plan, axis, remainder), const equiconv_plan *plan, int32_t axis,
          int64_t *remainder)

// Layers as objects (layer_objects.h)
WITH_CALL(equiconv_layer_create, (descriptor, layer), const equiconv_descriptor *descriptor, equiconv_layer **layer)
WITH_CALL(equiconv_layer_get_weight_shape, (layer, out_channels, in_channels, kernel, weight),
          const equiconv_layer *layer, int64_t out_channels, int64_t in_channels, const int64_t *kernel,
          equiconv_shape *weight)
WITH_CALL(equiconv_layer_get_output_shape, (layer, input, weight, output), const equiconv_layer *layer,
          const equiconv_shape *input, const equiconv_shape *weight, equiconv_shape *output)
WITH_CALL(equiconv_layer_get_stride_remainders, (layer, input, weight, remainders), const equiconv_layer *layer,
          const equiconv_shape *input, const equiconv_shape *weight, int64_t remainders[3])
WITH_CALL(equiconv_layer_get_bank_shape, (layer, weight, bank), const equiconv_layer *layer,
          const equiconv_shape *weight, equiconv_shape *bank)
WITH_CALL(equiconv_layer_create_plan, (layer, dtype, input, weight, plan), const equiconv_layer *layer,
          equiconv_dtype dtype, const equiconv_shape *input, const equiconv_shape *weight, equiconv_plan **plan)
WITH_CALL(equiconv_layer_forward, (layer, dtype, input_shape, input, weight_shape, weight, bias, output),
          const equiconv_layer *layer, equiconv_dtype dtype, const equiconv_shape *input_shape, const void *input,
          const equiconv_shape *weight_shape, const void *weight, const void *bias, void *output)
WITH_CALL(equiconv_layer_forward_prepared, (layer, dtype, input_shape, input, weight_shape, weight, bias, output),
          const equiconv_layer *layer, equiconv_dtype dtype, const equiconv_shape *input_shape, const void *input,
          const equiconv_shape *weight_shape, const equiconv_weight *weight, const void *bias, void *output)
WITH_CALL(equiconv_layer_vjp,
          (layer, dtype, input_shape, weight_shape, grad_output, input, weight, grad_input, grad_weight, grad_bias),
          const equiconv_layer *layer, equiconv_dtype dtype, const equiconv_shape *input_shape,
          const equiconv_shape *weight_shape, const void *grad_output, const void *input, const void *weight,
          void *grad_input, void *grad_weight, void *grad_bias)
WITH_CALL(equiconv_layer_expand, (layer, dtype, weight_shape, weight, bank), const equiconv_layer *layer,
          equiconv_dtype dtype, const equiconv_shape *weight_shape, const void *weight, void *bank)
WITH_CALL(equiconv_layer_explain, (layer, dtype, pass, input_shape, weight_shape, explanation),
          const equiconv_layer *layer, equiconv_dtype dtype, equiconv_pass pass, const equiconv_shape *input_shape,
          const equiconv_shape *weight_shape, equiconv_explanation *explanation)

// Texts (texts.h)
WITH_CALL(equiconv_layer_serialize, (layer, capacity, text, length), const equiconv_layer *layer, size_t capacity,
          char *text, size_t *length)
WITH_CALL(equiconv_group_serialize, (group, capacity, text, length), const equiconv_group *group, size_t capacity,
          char *text, size_t *length)
WITH_CALL(equiconv_basis_serialize, (basis, capacity, text, length), const equiconv_basis *basis, size_t capacity,
          char *text, size_t *length)
WITH_CALL(equiconv_group_basis_serialize, (group_basis, capacity, text, length),
          const equiconv_group_basis *group_basis, size_t capacity, char *text, size_t *length)
WITH_CALL(equiconv_layer_deserialize, (text, length, layer), const char *text, size_t length, equiconv_layer **layer)
WITH_CALL(equiconv_group_deserialize, (text, length, group), const char *text, size_t length, equiconv_group **group)
WITH_CALL(equiconv_basis_deserialize, (text, length, basis), const char *text, size_t length, equiconv_basis **basis)
WITH_CALL(equiconv_group_basis_deserialize, (text, length, group_basis), const char *text, size_t length,
          equiconv_group_basis **group_basis)

// Networks (network.h)
WITH_CALL(equiconv_network_open, (path, options, network), const char *path, const equiconv_network_options *options,
          equiconv_network **network)
WITH_CALL(equiconv_network_open_memory, (bytes, length, options, network), const void *bytes, size_t length,
          const equiconv_network_options *options, equiconv_network **network)
WITH_CALL(equiconv_network_create, (document, length, tensors, count, options, network), const char *document,
          size_t length, const equiconv_tensor *tensors, int64_t count, const equiconv_network_options *options,
          equiconv_network **network)
WITH_CALL(equiconv_network_save, (network, path), const equiconv_network *network, const char *path)
WITH_CALL(equiconv_network_describe, (network, capacity, text, length), const equiconv_network *network,
          size_t capacity, char *text, size_t *length)
WITH_CALL(equiconv_network_get_dtype, (network, dtype), const equiconv_network *network, equiconv_dtype *dtype)
WITH_CALL(equiconv_network_get_input_shape, (network, shape), const equiconv_network *network, equiconv_shape *shape)
WITH_CALL(equiconv_network_get_output_shape, (network, index, input, output), const equiconv_network *network,
          int32_t index, const equiconv_shape *input, equiconv_shape *output)
WITH_CALL(equiconv_network_get_tensor, (network, index, tensor), const equiconv_network *network, int64_t index,
          equiconv_tensor *tensor)
WITH_CALL(equiconv_network_reserve, (network, input), const equiconv_network *network, const equiconv_shape *input)
WITH_CALL(equiconv_network_run, (network, dtype, input_shape, input, outputs, output_count),
          const equiconv_network *network, equiconv_dtype dtype, const equiconv_shape *input_shape, const void *input,
          void *const *outputs, int32_t output_count)
WITH_CALL(equiconv_network_explain, (network, input, capacity, text, length), const equiconv_network *network,
          const equiconv_shape *input, size_t capacity, char *text, size_t *length)
WITH_CALL(equiconv_network_check, (network), const equiconv_network *network)

// Action and pooling (signals.h)
WITH_CALL(equiconv_act, (group, element, dtype, signal, batch, channels, spatial, input, output),
          const equiconv_group *group, int64_t element, equiconv_dtype dtype, equiconv_signal signal, int64_t batch,
          int64_t channels, const int64_t *spatial, const void *input, void *output)
WITH_CALL(equiconv_act_on, (group, element, dtype, stabilizer, batch, channels, spatial, input, output),
          const equiconv_group *group, int64_t element, equiconv_dtype dtype, const equiconv_subgroup *stabilizer,
          int64_t batch, int64_t channels, const int64_t *spatial, const void *input, void *output)
WITH_CALL(equiconv_group_pool, (dtype, mode, outer, order, inner, input, output), equiconv_dtype dtype,
          equiconv_pool_mode mode, int64_t outer, int64_t order, int64_t inner, const void *input, void *output)
WITH_CALL(equiconv_group_pool_vjp, (dtype, mode, outer, order, inner, grad_output, input, grad_input),
          equiconv_dtype dtype, equiconv_pool_mode mode, int64_t outer, int64_t order, int64_t inner,
          const void *grad_output, const void *input, void *grad_input)

// Threads and workspace (runtime.h)
WITH_CALL(equiconv_set_num_threads, (count), int32_t count)
WITH_CALL(equiconv_set_workspace_limit, (bytes), int64_t bytes)

// End of the list

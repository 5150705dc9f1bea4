/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wrong.h"

/** One field of a descriptor and what to write there. */
typedef struct field {
  size_t offset, size;
  int64_t value;
} field;

/** A descriptor that is right but for the given fields, and what is to come of it. */
typedef struct wrong_descriptor {
  int32_t status;
  const char *text;
  field fields[4];
} wrong_descriptor;

#define SET(member, value) {offsetof(equiconv_descriptor, member), sizeof(((equiconv_descriptor *)0)->member), (value)}
#define ON_BOTH_AXES(member, value) SET(member[0], value), SET(member[1], value)

/* The right one: D4, group layer, 2 -> 3 channels, 6 x 8 pixels, 3 x 3 taps. */
static const wrong_descriptor table[] = {
    {EQUICONV_ERROR_STRUCT_SIZE, "struct_size is 0", {SET(struct_size, 0)}},
    {EQUICONV_ERROR_STRUCT_SIZE, "struct_size is 8", {SET(struct_size, 8)}},
    {EQUICONV_ERROR_STRUCT_SIZE, "struct_size is 18446744073709551615", {SET(struct_size, -1)}},
    {EQUICONV_ERROR_NULL_POINTER, "group is NULL", {SET(group, 0)}},
    {EQUICONV_ERROR_INVALID_ENUM, "dtype is 2", {SET(dtype, 2)}},
    {EQUICONV_ERROR_INVALID_ENUM, "dtype is -1", {SET(dtype, -1)}},
    {EQUICONV_ERROR_INVALID_ENUM, "padding_mode is 4", {SET(padding_mode, 4)}},
    {EQUICONV_ERROR_INVALID_ENUM, "algorithm is 6", {SET(algorithm, 6)}},
    {EQUICONV_ERROR_INVALID_SIZE, "channel_groups is 0", {SET(channel_groups, 0)}},
    {EQUICONV_ERROR_INVALID_SIZE, "channel_groups is -1", {SET(channel_groups, -1)}},
    {EQUICONV_ERROR_INVALID_SIZE, "in_channels is 2", {SET(channel_groups, 3)}},
    {EQUICONV_ERROR_INVALID_SIZE, "out_channels is 3", {SET(channel_groups, 2)}},
    {EQUICONV_ERROR_INVALID_ENUM, "interpolation is 3", {SET(interpolation, 3)}},
    {EQUICONV_ERROR_INVALID_ENUM, "interpolation is -1", {SET(interpolation, -1)}},
    {EQUICONV_ERROR_INVALID_ENUM, "quadrature is 2", {SET(quadrature, 2)}},
    {EQUICONV_ERROR_UNSUPPORTED_ALGORITHM,
     "algorithm is winograd with stride",
     {SET(algorithm, EQUICONV_ALGORITHM_WINOGRAD), ON_BOTH_AXES(stride, 2)}},
    {EQUICONV_ERROR_UNSUPPORTED_ALGORITHM,
     "algorithm is winograd with a reach of 5",
     {SET(algorithm, EQUICONV_ALGORITHM_WINOGRAD), ON_BOTH_AXES(dilation, 2)}},
    {EQUICONV_ERROR_UNSUPPORTED_ALGORITHM,
     "algorithm is fourier with stride",
     {SET(algorithm, EQUICONV_ALGORITHM_FOURIER), ON_BOTH_AXES(stride, 2)}},
    {EQUICONV_ERROR_DIMENSION_MISMATCH, "dimension is 3", {SET(dimension, 3), SET(spatial[2], 5), SET(kernel[2], 3)}},
    {EQUICONV_ERROR_DIMENSION_MISMATCH, "dimension is 0", {SET(dimension, 0)}},
    {EQUICONV_ERROR_DIMENSION_MISMATCH, "dimension is -2147483648", {SET(dimension, INT32_MIN)}},
    {EQUICONV_ERROR_INVALID_SIZE, "in_channels is 0", {SET(in_channels, 0)}},
    {EQUICONV_ERROR_INVALID_SIZE, "in_channels is -9223372036854775808", {SET(in_channels, INT64_MIN)}},
    {EQUICONV_ERROR_INVALID_SIZE, "out_channels is -1", {SET(out_channels, -1)}},
    {EQUICONV_ERROR_INVALID_SIZE, "spatial[0] is 0", {SET(spatial[0], 0)}},
    {EQUICONV_ERROR_INVALID_SIZE, "spatial[1] is -8", {SET(spatial[1], -8)}},
    {EQUICONV_ERROR_INVALID_SIZE, "kernel[0] is 0", {ON_BOTH_AXES(kernel, 0)}},
    {EQUICONV_ERROR_INVALID_SIZE, "kernel[1] is -3", {SET(kernel[1], -3)}},
    {EQUICONV_ERROR_INVALID_STRIDE, "stride[0] is 0", {ON_BOTH_AXES(stride, 0)}},
    {EQUICONV_ERROR_INVALID_STRIDE, "stride[1] is -1", {SET(stride[1], -1)}},
    {EQUICONV_ERROR_INVALID_DILATION, "dilation[0] is 0", {ON_BOTH_AXES(dilation, 0)}},
    {EQUICONV_ERROR_INVALID_DILATION, "dilation[1] is -4", {SET(dilation[1], -4)}},
    {EQUICONV_ERROR_INVALID_PADDING, "padding[0] is -2", {ON_BOTH_AXES(padding, -2)}},
    {EQUICONV_ERROR_INVALID_PADDING, "padding[1] is -9223372036854775808", {SET(padding[1], INT64_MIN)}},
    {EQUICONV_ERROR_EVEN_KERNEL, "kernel[0] is 4", {ON_BOTH_AXES(kernel, 4), ON_BOTH_AXES(padding, -1)}},
    {EQUICONV_ERROR_KERNEL_TOO_LARGE, "kernel[0] is 7", {ON_BOTH_AXES(kernel, 7)}},
    {EQUICONV_ERROR_KERNEL_TOO_LARGE, "kernel[0] is 3", {ON_BOTH_AXES(dilation, 3)}},
    {EQUICONV_ERROR_ANISOTROPIC, "kernel is (3, 5)", {SET(kernel[1], 5)}},
    {EQUICONV_ERROR_ANISOTROPIC, "stride is (1, 2)", {SET(stride[1], 2)}},
    {EQUICONV_ERROR_ANISOTROPIC, "padding is (1, 0)", {SET(padding[0], 1)}},
    {EQUICONV_ERROR_ANISOTROPIC, "dilation is (2, 1)", {SET(dilation[0], 2)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "in_channels is 9223372036854775807", {SET(in_channels, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "out_channels is 9223372036854775807", {SET(out_channels, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "spatial[0] is 9223372036854775807", {SET(spatial[0], INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "kernel[0] is 9223372036854775807", {ON_BOTH_AXES(kernel, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "stride[0] is 9223372036854775807", {ON_BOTH_AXES(stride, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "padding[0] is 9223372036854775807", {ON_BOTH_AXES(padding, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "dilation[0] is 9223372036854775807", {ON_BOTH_AXES(dilation, INT64_MAX)}},
    {EQUICONV_ERROR_SIZE_OVERFLOW, "weight", {SET(in_channels, INT64_C(1) << 40), SET(out_channels, INT64_C(1) << 40)}},
    {EQUICONV_ERROR_TOO_LARGE, "kernel is (1025, 1025)", {ON_BOTH_AXES(kernel, 1025), ON_BOTH_AXES(padding, 600)}},
};

static equiconv_descriptor right_descriptor(const equiconv_group *d4) {
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 2, 3, 6, 3);
  d.spatial[1] = 8;
  return d;
}

static void set_field(equiconv_descriptor *d, const field *f) {
  if (f->size == sizeof(int32_t)) {
    const int32_t value = (int32_t)f->value;
    memcpy((char *)d + f->offset, &value, sizeof value);
  } else {
    memcpy((char *)d + f->offset, &f->value, sizeof f->value);
  }
}

/* Each wrong descriptor, in a plan and in the two simple calls of its layer. */
static void descriptors_of_the_table(const equiconv_group *d4) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const wrong_descriptor *row = &table[i];
    equiconv_descriptor d = right_descriptor(d4);
    for (int f = 0; f < 4 && row->fields[f].size > 0; f++) set_field(&d, &row->fields[f]);
    WRONG(row->status, row->text, equiconv_plan_create(&d, &out.plan));
    WRONG(row->status, row->text, equiconv_group_conv(&d, 1, out.input, out.weight, out.bias, out.output));
    WRONG(row->status, row->text,
          equiconv_group_conv_vjp(&d, 1, out.output, out.input, out.weight, out.grad_input, out.grad_weight,
                                  out.grad_bias));
  }
}

/* The layer is read by plans alone. */
static void layers(const equiconv_group *d4) {
  equiconv_descriptor d = right_descriptor(d4);
  d.layer = (equiconv_layer_kind)5;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "layer is 5", equiconv_plan_create(&d, &out.plan));
  d.layer = (equiconv_layer_kind)-1;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "layer is -1", equiconv_plan_create(&d, &out.plan));
}

static void descriptors_themselves(const equiconv_group *d4) {
  char block[sizeof(equiconv_descriptor) + 8];
  const equiconv_descriptor d = right_descriptor(d4);
  memcpy(block + 1, &d, sizeof d);
  const equiconv_descriptor *odd = (const equiconv_descriptor *)(void *)(block + 1);
  if ((uintptr_t)odd % 8 == 0) odd = (const equiconv_descriptor *)(void *)(block + 2);
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "descriptor is 0x", equiconv_plan_create(odd, &out.plan));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL", equiconv_plan_create(NULL, &out.plan));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_create(&d, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL",
        equiconv_lifting_conv(NULL, 1, out.input, out.weight, out.bias, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL",
        equiconv_isotropic_conv(NULL, 1, out.input, out.weight, out.bias, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL",
        equiconv_projection_conv(NULL, 1, out.input, out.weight, out.bias, out.output));
}

/* Stabilizers are handles of subgroups of the descriptor's own group. */
static void stabilizers(const equiconv_group *d4) {
  static const int32_t identity[1] = {0};
  equiconv_group *c8 = make_group(GROUP_C8), *equal = make_group(GROUP_D4);
  equiconv_subgroup *own = make_subgroup(d4, 1, identity), *other = make_subgroup(c8, 1, identity);
  equiconv_subgroup *of_equal = make_subgroup(equal, 1, identity);
  equiconv_descriptor d = right_descriptor(d4);
  d.layer = EQUICONV_LAYER_GENERAL;
  d.input_stabilizer = own;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output_stabilizer is NULL", equiconv_plan_create(&d, &out.plan));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output_stabilizer is NULL",
        equiconv_conv_vjp(&d, 1, out.output, out.input, out.weight, out.grad_input, out.grad_weight, out.grad_bias));
  d.output_stabilizer = other;
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "output_stabilizer is a subgroup of C8, expected one of D4",
        equiconv_plan_create(&d, &out.plan));
  d.input_stabilizer = other;
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "input_stabilizer is a subgroup of C8, expected one of D4",
        equiconv_conv(&d, 1, out.input, out.weight, out.bias, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL",
        equiconv_conv(NULL, 1, out.input, out.weight, out.bias, out.output));
  /* A group that is equal will do. */
  equiconv_plan *plan = NULL;
  d.input_stabilizer = own;
  d.output_stabilizer = of_equal;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  equiconv_plan_destroy(plan);
  equiconv_subgroup_destroy(of_equal);
  equiconv_subgroup_destroy(other);
  equiconv_subgroup_destroy(own);
  equiconv_group_destroy(equal);
  equiconv_group_destroy(c8);
}

/* Elements that mix axes need equal extents along them, as elements that exchange them do. */
static void groups_that_are_not_lattice_groups(void) {
  equiconv_group *c3 = make_group(GROUP_C3);
  equiconv_descriptor d = make_descriptor(c3, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 5, 3);
  d.kernel[1] = 1;
  WRONG(EQUICONV_ERROR_ANISOTROPIC, "kernel is (3, 1)", equiconv_plan_create(&d, &out.plan));
  equiconv_group_destroy(c3);
}

void wrong_descriptors(void) {
  equiconv_group *d4 = make_group(GROUP_D4);
  descriptors_of_the_table(d4);
  layers(d4);
  descriptors_themselves(d4);
  stabilizers(d4);
  groups_that_are_not_lattice_groups();
  equiconv_group_destroy(d4);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels are made of and where signals live: the arguments that all layers share, read into a descriptor. */
#include "native.h"

static bool read_interpolation(PyObject *value, equiconv_interpolation *result) {
  static const char *const names[] = {"bilinear", "bicubic", "bspline3"};
  for (int32_t i = 0; PyUnicode_CheckExact(value) && i < 3; i++) {
    if (PyUnicode_CompareWithASCIIString(value, names[i]) == 0) {
      *result = (equiconv_interpolation)i;
      return true;
    }
  }
  return false;
}

/* A stabilizer; `points` becomes the size of its fiber, 0 for the plane. */
static bool read_stabilizer(PyObject *module, PyObject *value, const native_group *group,
                            const equiconv_subgroup **stabilizer, int64_t *points) {
  const native_subgroup *subgroup = native_as_subgroup(module, value);
  if (subgroup == NULL) {
    return false;
  }
  *stabilizer = subgroup->handle;
  *points = native_points(subgroup, group);
  return *points >= 0;
}

/* Fibers of a named layer, or of `value`, a tuple of the two stabilizers and of whether the layer is depthwise. */
static bool read_spaces(PyObject *module, PyObject *value, const native_group *group, equiconv_descriptor *descriptor,
                        native_spaces *spaces) {
  const equiconv_layer_kind layer = descriptor->layer;
  if (layer != EQUICONV_LAYER_GENERAL) {
    bool reads = layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_PROJECTION;
    bool writes = layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_LIFTING;
    spaces->input_points = reads ? group->order : 0;
    spaces->output_points = writes ? group->order : 0;
    return value == Py_None;
  }
  if (!PyTuple_CheckExact(value) || PyTuple_GET_SIZE(value) != 3 || !PyBool_Check(PyTuple_GET_ITEM(value, 2))) {
    return false;
  }
  descriptor->depthwise = PyTuple_GET_ITEM(value, 2) == Py_True;
  return read_stabilizer(module, PyTuple_GET_ITEM(value, 0), group, &descriptor->input_stabilizer,
                         &spaces->input_points) &&
         read_stabilizer(module, PyTuple_GET_ITEM(value, 1), group, &descriptor->output_stabilizer,
                         &spaces->output_points);
}

bool native_read_kernel(PyObject *module, const native_kernel *kernel, const native_group *group,
                        equiconv_descriptor *descriptor, native_spaces *spaces) {
  *spaces = (native_spaces){0, 0, 0, NULL};
  if (!read_spaces(module, kernel->spaces, group, descriptor, spaces) || !PyBool_Check(kernel->quadrature) ||
      !read_interpolation(kernel->interpolation, &descriptor->interpolation)) {
    return false;
  }
  descriptor->quadrature = kernel->quadrature == Py_True;
  spaces->weight_points = spaces->input_points;
  if (kernel->basis != Py_None) {
    spaces->basis = native_as_basis(module, kernel->basis);
    if (spaces->basis == NULL || spaces->basis->dimension != group->dimension) {
      return false;
    }
    descriptor->basis = spaces->basis->handle;
  }
  if (kernel->group_basis != Py_None) {
    native_group_basis *group_basis = native_as_group_basis(module, kernel->group_basis);
    if (group_basis == NULL || spaces->input_points != group->order) {
      return false;
    }
    descriptor->group_basis = group_basis->handle;
    spaces->weight_points = group_basis->count;
  }
  return true;
}

bool native_read_weight(const native_shape *weight, const native_spaces *spaces, equiconv_descriptor *descriptor) {
  const npy_intp *shape = weight->sizes;
  const native_basis *basis = spaces->basis;
  int fiber = spaces->weight_points > 0 ? 1 : 0;
  bool has_kernel = basis == NULL || basis->is_pixel;
  if (descriptor->depthwise && weight->rank > 1 && shape[1] != 1) {
    return false;
  }
  if (weight->rank != 2 + fiber + (has_kernel ? descriptor->dimension : 1) || shape[0] == 0 || shape[1] == 0 ||
      (fiber && shape[2] != spaces->weight_points) || (!has_kernel && shape[2 + fiber] != basis->count)) {
    return false;
  }
  descriptor->out_channels = shape[0];
  descriptor->in_channels = descriptor->depthwise ? shape[0] : shape[1];
  for (int32_t axis = 0; axis < descriptor->dimension; axis++) {
    int64_t extent = has_kernel ? shape[2 + fiber + axis] : basis->extents[axis];
    if (basis != NULL && extent != basis->extents[axis]) {
      return false;
    }
    descriptor->kernel[axis] = extent;
  }
  return true;
}

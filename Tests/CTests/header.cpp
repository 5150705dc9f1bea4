// SPDX-License-Identifier: Apache-2.0
// The header is C++ too.
#include "equiconv.h"

int main() {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  equiconv_network *network = nullptr;
  equiconv_group *group = nullptr;
  equiconv_plan *plan = nullptr;
  bool right = equiconv_version() == EQUICONV_VERSION;
  right = right && equiconv_network_open_memory("", 0, &options, &network) == EQUICONV_ERROR_INVALID_FILE;
  right = right && equiconv_group_create_cyclic(4, &group) == EQUICONV_SUCCESS;
  descriptor.group = group;
  descriptor.layer = EQUICONV_LAYER_LIFTING;
  descriptor.dimension = 2;
  descriptor.in_channels = descriptor.out_channels = 1;
  for (int axis = 0; axis < 2; axis++) descriptor.spatial[axis] = descriptor.kernel[axis] = 3;
  right = right && equiconv_plan_create(&descriptor, &plan) == EQUICONV_SUCCESS;
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(group);
  return right ? 0 : 1;
}

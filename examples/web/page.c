/* SPDX-License-Identifier: Apache-2.0 */
/* What the page calls: a few functions with numbers and pointers alone, on top of equiconv.h. Those that can fail
 * return the status, and page_message says why. All signals are square, of one image, in float32. */

#include <equiconv.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/** What page_group makes. */
enum { CYCLIC = 0, DIHEDRAL = 1 };

EXPORT(page_allocate) void *page_allocate(int32_t bytes);
EXPORT(page_free) void page_free(void *memory);
EXPORT(page_message) const char *page_message(void);
EXPORT(page_version) int32_t page_version(void);
EXPORT(page_group) equiconv_group *page_group(int32_t kind, int32_t n);
EXPORT(page_order) int32_t page_order(const equiconv_group *group);
EXPORT(page_cayley) int32_t page_cayley(const equiconv_group *group, int32_t *cayley);
EXPORT(page_matrices) int32_t page_matrices(const equiconv_group *group, double *matrices);
EXPORT(page_convolve)
int32_t page_convolve(const equiconv_group *group, int32_t layer, int32_t algorithm, int32_t in_channels,
                      int32_t out_channels, int32_t size, int32_t kernel, const float *input, const float *weight,
                      float *output);
EXPORT(page_act)
int32_t page_act(const equiconv_group *group, int32_t element, int32_t signal, int32_t channels, int32_t size,
                 const float *input, float *output);
EXPORT(page_network) equiconv_network *page_network(const void *bytes, int32_t length);
EXPORT(page_scores)
int32_t page_scores(const equiconv_network *network, int32_t size, const float *image, float *scores);
EXPORT(page_check) int32_t page_check(const equiconv_network *network);

void *page_allocate(int32_t bytes) { return aligned_alloc(64, ((size_t)bytes + 63) & ~(size_t)63); }
void page_free(void *memory) { free(memory); }
const char *page_message(void) { return equiconv_last_error_message(); }
int32_t page_version(void) { return equiconv_version(); }

equiconv_group *page_group(int32_t kind, int32_t n) {
  equiconv_group *group = NULL;
  if (kind == CYCLIC) equiconv_group_create_cyclic(n, &group);
  if (kind == DIHEDRAL) equiconv_group_create_dihedral(n, &group);
  return group;
}
int32_t page_order(const equiconv_group *group) { return (int32_t)equiconv_group_order(group); }
int32_t page_cayley(const equiconv_group *group, int32_t *cayley) {
  return (int32_t)equiconv_group_get_cayley(group, cayley);
}
int32_t page_matrices(const equiconv_group *group, double *matrices) {
  return (int32_t)equiconv_group_get_matrices(group, matrices);
}

int32_t page_convolve(const equiconv_group *group, int32_t layer, int32_t algorithm, int32_t in_channels,
                      int32_t out_channels, int32_t size, int32_t kernel, const float *input, const float *weight,
                      float *output) {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  descriptor.group = group;
  descriptor.algorithm = (equiconv_algorithm)algorithm;
  descriptor.dimension = 2;
  descriptor.in_channels = in_channels;
  descriptor.out_channels = out_channels;
  for (int axis = 0; axis < 2; axis++) {
    descriptor.spatial[axis] = size;
    descriptor.kernel[axis] = kernel;
    descriptor.padding[axis] = EQUICONV_PADDING_SAME;
  }
  return (int32_t)(layer == EQUICONV_LAYER_LIFTING ? equiconv_lifting_conv(&descriptor, 1, input, weight, NULL, output)
                                                   : equiconv_group_conv(&descriptor, 1, input, weight, NULL, output));
}

int32_t page_act(const equiconv_group *group, int32_t element, int32_t signal, int32_t channels, int32_t size,
                 const float *input, float *output) {
  const int64_t spatial[2] = {size, size};
  return (int32_t)equiconv_act(group, element, EQUICONV_FLOAT32, (equiconv_signal)signal, 1, channels, spatial, input,
                               output);
}

equiconv_network *page_network(const void *bytes, int32_t length) {
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  options.mode = EQUICONV_NETWORK_EXACT;
  equiconv_network *network = NULL;
  equiconv_network_open_memory(bytes, (size_t)length, &options, &network);
  return network;
}
int32_t page_scores(const equiconv_network *network, int32_t size, const float *image, float *scores) {
  const equiconv_shape shape = {4, {1, 1, size, size}};
  void *const outputs[] = {scores};
  return (int32_t)equiconv_network_run(network, EQUICONV_FLOAT32, &shape, image, outputs, 1);
}
int32_t page_check(const equiconv_network *network) { return (int32_t)equiconv_network_check(network); }

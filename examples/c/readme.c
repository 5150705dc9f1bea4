/* SPDX-License-Identifier: Apache-2.0 */
#include <equiconv.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 8, PIXELS = SIZE * SIZE, ELEMENTS = 4 };

static int failed(equiconv_status status) {
  if (status != EQUICONV_SUCCESS) fprintf(stderr, "%s\n", equiconv_last_error_message());
  return status != EQUICONV_SUCCESS;
}

int main(void) {
  float image[PIXELS], turned[PIXELS], y[ELEMENTS * PIXELS], of_turned[ELEMENTS * PIXELS], expected[ELEMENTS * PIXELS];
  for (int i = 0; i < PIXELS; i++) image[i] = (float)(i * i % 7) / 3;
  const float weight[9] = {0.1f, -0.2f, 0.3f, 0.7f, 0.5f, -0.4f, 0.2f, 0.9f, -0.6f};

  equiconv_group *c4 = NULL; /* rotations by 0, 90, 180 and 270 degrees */
  if (failed(equiconv_group_create_cyclic(ELEMENTS, &c4))) return 1;
  equiconv_descriptor layer = EQUICONV_DESCRIPTOR_INIT;
  layer.group = c4;
  layer.dimension = 2;
  layer.in_channels = layer.out_channels = 1;
  layer.spatial[0] = layer.spatial[1] = SIZE;
  layer.kernel[0] = layer.kernel[1] = 3;
  layer.padding[0] = layer.padding[1] = EQUICONV_PADDING_SAME;
  layer.algorithm = EQUICONV_ALGORITHM_DIRECT;

  int status = failed(equiconv_lifting_conv(&layer, 1, image, weight, NULL, y)); /* y is (1, 1, 4, 8, 8) */
  for (int g = 0; g < ELEMENTS && !status; g++) { /* turning the image turns the answer */
    status = failed(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, layer.spatial, image, turned)) ||
             failed(equiconv_lifting_conv(&layer, 1, turned, weight, NULL, of_turned)) ||
             failed(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 1, 1, layer.spatial, y, expected)) ||
             memcmp(of_turned, expected, sizeof expected) != 0;
    printf("%3d degrees: %s\n", 90 * g, status ? "DIFFERENT" : "equal to the last bit");
  }
  equiconv_group_destroy(c4);
  return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network: lifting, ReLU, group convolution, ReLU, projection, for turns and mirrors (D4), made of plans.
 * Its output turns and mirrors with its input, to the last bit.
 *
 *   cc -std=c11 network.c $(pkg-config --cflags --libs equiconv) -o network && ./network
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "equiconv.h"

enum { SIZE = 33, BATCH = 2, CHANNELS = 8, ORDER = 8, LAYERS = 3, PLANE = SIZE * SIZE };

static void check(equiconv_status status) {
  if (status == EQUICONV_SUCCESS) return;
  fprintf(stderr, "%s: %s\n", equiconv_status_name(status), equiconv_last_error_message());
  exit(EXIT_FAILURE);
}

typedef struct layer {
  equiconv_plan *plan;
  float *weight, *bias, *output;
  int64_t outputs;
} layer;

static float *random_array(int64_t count) {
  float *array = malloc((size_t)count * sizeof(float));
  if (array == NULL) exit(EXIT_FAILURE);
  for (int64_t i = 0; i < count; i++) array[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  return array;
}

static int64_t count(const int64_t *shape) {
  int64_t product = 1;
  for (int axis = 0; axis < EQUICONV_MAX_RANK; axis++) product *= shape[axis];
  return product;
}

static layer make_layer(const equiconv_group *group, int32_t kind, int64_t channels_in, int64_t channels_out) {
  equiconv_descriptor d = EQUICONV_DESCRIPTOR_INIT;
  d.group = group;
  d.layer = kind;
  d.algorithm = EQUICONV_ALGORITHM_DIRECT; /* to the last bit */
  d.dimension = 2;
  d.in_channels = channels_in;
  d.out_channels = channels_out;
  for (int axis = 0; axis < 2; axis++) {
    d.spatial[axis] = SIZE;
    d.kernel[axis] = 5;
    d.padding[axis] = EQUICONV_PADDING_SAME;
  }
  layer made = {NULL, NULL, NULL, NULL, 0};
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  check(equiconv_plan_create(&d, &made.plan));
  check(equiconv_plan_get_weight_shape(made.plan, shape, &rank));
  made.weight = random_array(count(shape));
  made.bias = random_array(channels_out);
  check(equiconv_plan_get_output_shape(made.plan, BATCH, shape, &rank));
  made.outputs = count(shape);
  made.output = random_array(made.outputs);
  return made;
}

/** Runs the network; the result is in the last layer's output. */
static const float *run(const layer *layers, const float *input) {
  for (int i = 0; i < LAYERS; i++) {
    check(equiconv_plan_forward(layers[i].plan, BATCH, input, layers[i].weight, layers[i].bias, layers[i].output));
    if (i < LAYERS - 1) {
      for (int64_t j = 0; j < layers[i].outputs; j++) {
        if (layers[i].output[j] < 0) layers[i].output[j] = 0;
      }
    }
    input = layers[i].output;
  }
  return input;
}

int main(void) {
  equiconv_group *d4 = NULL;
  check(equiconv_group_create_dihedral(4, &d4));
  layer layers[LAYERS] = {
      make_layer(d4, EQUICONV_LAYER_LIFTING, 3, CHANNELS),
      make_layer(d4, EQUICONV_LAYER_GROUP, CHANNELS, CHANNELS),
      make_layer(d4, EQUICONV_LAYER_PROJECTION, CHANNELS, 1),
  };
  static const int64_t spatial[2] = {SIZE, SIZE};
  static float turned[BATCH * 3 * PLANE], straight[BATCH * PLANE], expected[BATCH * PLANE];
  float *images = random_array(BATCH * 3 * PLANE);
  memcpy(straight, run(layers, images), sizeof straight);

  int equal = 1;
  for (int64_t g = 0; g < ORDER; g++) {
    check(equiconv_act(d4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, BATCH, 3, spatial, images, turned));
    check(equiconv_act(d4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, BATCH, 1, spatial, straight, expected));
    const int same = memcmp(run(layers, turned), expected, sizeof expected) == 0;
    printf("%s%3d degrees: %s\n", g < 4 ? "turned by          " : "mirrored, turned by", (int)(g % 4) * 90,
           same ? "equal to the last bit" : "DIFFERENT");
    equal = equal && same;
  }

  free(images);
  for (int i = 0; i < LAYERS; i++) {
    free(layers[i].weight);
    free(layers[i].bias);
    free(layers[i].output);
    equiconv_plan_destroy(layers[i].plan);
  }
  equiconv_group_destroy(d4);
  return equal ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first program: lift an image to the group of quarter turns, and see that turning the image turns the result,
 * to the last bit.
 *
 *   cc -std=c11 first.c $(pkg-config --cflags --libs equiconv) -o first && ./first
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "equiconv.h"

enum { SIZE = 5, KERNEL = 3, ELEMENTS = 4, PIXELS = SIZE * SIZE };

/** Ends the program with the library's message if a call has failed. */
static void check(equiconv_status status) {
  if (status == EQUICONV_SUCCESS) return;
  fprintf(stderr, "%s: %s\n", equiconv_status_name(status), equiconv_last_error_message());
  exit(EXIT_FAILURE);
}

static void print_plane(const char *title, const float *plane) {
  printf("%s\n", title);
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) printf("%7.2f", (double)plane[row * SIZE + column]);
    printf("\n");
  }
}

int main(void) {
  /* The group of rotations by 0, 90, 180 and 270 degrees. */
  equiconv_group *c4 = NULL;
  check(equiconv_group_create_cyclic(ELEMENTS, &c4));

  /* One channel in, one out; "same" padding, so that the planes keep their size. */
  equiconv_descriptor layer = EQUICONV_DESCRIPTOR_INIT;
  layer.group = c4;
  layer.algorithm = EQUICONV_ALGORITHM_DIRECT; /* to the last bit */
  layer.dtype = EQUICONV_FLOAT32;
  layer.dimension = 2;
  layer.in_channels = layer.out_channels = 1;
  for (int axis = 0; axis < 2; axis++) {
    layer.spatial[axis] = SIZE;
    layer.kernel[axis] = KERNEL;
    layer.padding[axis] = EQUICONV_PADDING_SAME;
  }

  float image[PIXELS], turned[PIXELS];
  for (int i = 0; i < PIXELS; i++) image[i] = (float)(i * i % 7) / 3;
  const float weight[KERNEL * KERNEL] = {0.1f, -0.2f, 0.3f, 0.7f, 0.5f, -0.4f, 0.2f, 0.9f, -0.6f};

  /* lifted has the shape (batch, channels, elements, rows, columns) = (1, 1, 4, 5, 5). */
  float lifted[ELEMENTS * PIXELS], lifted_turned[ELEMENTS * PIXELS], expected[ELEMENTS * PIXELS];
  check(equiconv_lifting_conv(&layer, 1, image, weight, NULL, lifted));
  print_plane("image", image);
  print_plane("lifted, element 0 (no turn)", lifted);
  print_plane("lifted, element 1 (quarter turn)", lifted + PIXELS);

  /* lift(L_g image) against L_g lift(image), for every element g. */
  const int64_t spatial[2] = {SIZE, SIZE};
  int equal = 1;
  for (int64_t g = 0; g < ELEMENTS; g++) {
    check(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, spatial, image, turned));
    check(equiconv_lifting_conv(&layer, 1, turned, weight, NULL, lifted_turned));
    check(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 1, 1, spatial, lifted, expected));
    const int same = memcmp(lifted_turned, expected, sizeof expected) == 0;
    printf("turned by %3d degrees: %s\n", (int)g * 90, same ? "equal to the last bit" : "DIFFERENT");
    equal = equal && same;
  }

  /* A wrong call says what is wrong, and changes nothing. */
  layer.stride[0] = 0;
  const equiconv_status status = equiconv_lifting_conv(&layer, 1, image, weight, NULL, lifted);
  printf("%s: %s\n", equiconv_status_name(status), equiconv_last_error_message());

  equiconv_group_destroy(c4);
  return equal ? EXIT_SUCCESS : EXIT_FAILURE;
}

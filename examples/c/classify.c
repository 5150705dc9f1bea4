/* SPDX-License-Identifier: Apache-2.0 */
/* Classifies an image, binary PGM or PPM on standard input, by a network that is one file:
 *   cc -std=c11 classify.c $(pkg-config --cflags --libs equiconv) -o classify
 *   pngtopnm image.png | ./classify network.safetensors */
#include <equiconv.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *message) { return fprintf(stderr, "%s\n", message), EXIT_FAILURE; }

/* The shape of the image whose header is next: (1, channels, rows, columns); false if there is none. */
static int read_header(equiconv_shape *shape) {
  char kind;
  int columns, rows, most;
  if (scanf("P%c %5d %5d %5d", &kind, &columns, &rows, &most) != 4 || getchar() == EOF) return 0;
  *shape = (equiconv_shape){4, {1, kind == '5' ? 1 : 3, rows, columns}};
  return (kind == '5' || kind == '6') && columns > 0 && rows > 0 && most == 255;
}

/* The pixels that follow it, as planes of numbers from 0 to 255; NULL if they are not all there. */
static float *read_planes(const equiconv_shape *shape) {
  const int64_t channels = shape->sizes[1], pixels = shape->sizes[2] * shape->sizes[3];
  float *image = malloc((size_t)(channels * pixels) * sizeof(float));
  for (int64_t i = 0; image != NULL && i < channels * pixels; i++) {
    const int byte = getchar();
    if (byte == EOF) return free(image), NULL;
    image[i % channels * pixels + i / channels] = (float)byte;
  }
  return image;
}

static int classify(const equiconv_network *network) {
  equiconv_shape shape, result;
  if (!read_header(&shape)) return fail("expected a binary PGM or PPM of 8 bits, without comments");
  if (equiconv_network_get_output_shape(network, 0, &shape, &result)) return fail(equiconv_last_error_message());
  if (result.rank != 2) return fail("this network gives no scores");
  float *image = read_planes(&shape), *scores = calloc((size_t)result.sizes[1], sizeof(float));
  int status = image != NULL && scores != NULL ? EXIT_SUCCESS : fail("the image is cut short, or memory is");
  void *const outputs[] = {scores};
  if (!status && equiconv_network_run(network, EQUICONV_FLOAT32, &shape, image, outputs, 1)) {
    status = fail(equiconv_last_error_message());
  }
  for (int64_t c = 0; c < result.sizes[1] && !status; c++) {
    const char *name = equiconv_network_class_name(network, 0, c);
    printf("%-12s %.9g\n", name == NULL ? "" : name, (double)scores[c]);
  }
  free(scores);
  free(image);
  return status;
}

int main(int argc, char **argv) {
  equiconv_network *network = NULL;
  if (argc != 2) return fail("usage: classify NETWORK <IMAGE.ppm");
  if (equiconv_network_open(argv[1], NULL, &network)) return fail(equiconv_last_error_message());
  const int status = classify(network);
  equiconv_network_close(network);
  return status;
}

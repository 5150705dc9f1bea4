/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as files: what they say, what they compute, and what becomes of files that are not what they say. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network_example.h"
#include "test.h"

enum { SIZE = 9, PIXELS = SIZE * SIZE, CHANNELS = EXAMPLE_CHANNELS, CLASSES = EXAMPLE_CLASSES, MOST_BATCH = 3 };

static const equiconv_shape one = {4, {1, 1, SIZE, SIZE}};

/** What the network of network_example.h writes. */
typedef struct results {
  float scores[MOST_BATCH * CLASSES], planes[MOST_BATCH * CHANNELS * PIXELS];
} results;

static equiconv_network *open_example(equiconv_network_mode mode) {
  equiconv_network *network = NULL;
  CHECK_SUCCESS(example_create(mode, &network));
  return network;
}

static equiconv_status run(const equiconv_network *network, int64_t batch, const float *image, results *into) {
  const equiconv_shape shape = {4, {batch, 1, SIZE, SIZE}};
  void *const outputs[EXAMPLE_OUTPUTS] = {into->scores, into->planes};
  return equiconv_network_run(network, EQUICONV_FLOAT32, &shape, image, outputs, EXAMPLE_OUTPUTS);
}

static void fill(float *image, int64_t count, uint64_t seed) {
  test_random random = {seed};
  random_fill(&random, EQUICONV_FLOAT32, image, count);
}

/* ---- What a network says ---- */

static void a_network_says_what_it_is(void) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  equiconv_dtype dtype = EQUICONV_FLOAT64;
  CHECK_SUCCESS(equiconv_network_get_dtype(network, &dtype));
  CHECK(dtype == EQUICONV_FLOAT32);
  CHECK(equiconv_network_output_count(network) == EXAMPLE_OUTPUTS);
  CHECK_SUCCESS(equiconv_network_check(network)); /* it has no test that could fail */
  CHECK(strcmp(equiconv_network_output_name(network, 0), "scores") == 0);
  CHECK(strcmp(equiconv_network_output_name(network, 1), "planes") == 0);
  CHECK(equiconv_network_output_name(network, 2) == NULL && equiconv_network_output_name(network, -1) == NULL);
  CHECK(equiconv_network_class_count(network, 0) == CLASSES && equiconv_network_class_count(network, 1) == 0);
  CHECK(equiconv_network_class_count(network, 7) == 0);
  CHECK(strcmp(equiconv_network_class_name(network, 0, 2), "\xc3\xbc"
                                                           "brig") == 0);
  CHECK(equiconv_network_class_name(network, 0, 3) == NULL && equiconv_network_class_name(network, 1, 0) == NULL);
  CHECK(equiconv_network_class_name(network, -1, 0) == NULL && equiconv_network_class_name(network, 0, -1) == NULL);
  equiconv_network_close(network);
}

static void initializers_agree(void) {
  const equiconv_network_options initial = EQUICONV_NETWORK_OPTIONS_INIT;
  equiconv_network_options options;
  memset(&options, 'x', sizeof options);
  equiconv_network_options_init(&options);
  equiconv_network_options_init(NULL);
  CHECK(options.struct_size == initial.struct_size && options.mode == initial.mode);
}

static void null_is_an_empty_network(void) {
  equiconv_network_close(NULL);
  CHECK(equiconv_network_output_count(NULL) == 0 && equiconv_network_tensor_count(NULL) == 0);
  CHECK(equiconv_network_output_name(NULL, 0) == NULL && equiconv_network_class_name(NULL, 0, 0) == NULL);
  CHECK(equiconv_network_class_count(NULL, 0) == 0);
}

static bool same_shape(const equiconv_shape *shape, int32_t rank, const int64_t *sizes) {
  bool same = shape->rank == rank;
  for (int axis = 0; axis < EQUICONV_MAX_RANK; axis++)
    same = same && shape->sizes[axis] == (axis < rank ? sizes[axis] : 1);
  return same;
}

static void shapes_follow_from_the_input(void) {
  static const int64_t any[4] = {0, 1, 0, 0}, scores[2] = {5, CLASSES}, planes[4] = {5, CHANNELS, 7, 11};
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  const equiconv_shape input = {4, {5, 1, 7, 11}};
  equiconv_shape shape;
  CHECK_SUCCESS(equiconv_network_get_input_shape(network, &shape));
  CHECK(same_shape(&shape, 4, any));
  CHECK_SUCCESS(equiconv_network_get_output_shape(network, 0, &input, &shape));
  CHECK(same_shape(&shape, 2, scores));
  CHECK_SUCCESS(equiconv_network_get_output_shape(network, 1, &input, &shape));
  CHECK(same_shape(&shape, 4, planes));
  equiconv_network_close(network);
}

static void tensors_are_those_that_were_given(void) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  example_weights weights;
  example_weights_make(&weights);
  CHECK(equiconv_network_tensor_count(network) == EXAMPLE_TENSORS);
  for (int i = 0; i < EXAMPLE_TENSORS; i++) {
    const equiconv_tensor *given = &weights.tensors[i];
    equiconv_tensor tensor;
    CHECK_SUCCESS(equiconv_network_get_tensor(network, i, &tensor));
    CHECK(strcmp(tensor.name, given->name) == 0 && strcmp(tensor.type, given->type) == 0);
    CHECK(tensor.rank == given->rank && memcmp(tensor.shape, given->shape, 8 * (size_t)given->rank) == 0);
    CHECK(tensor.length == given->length && memcmp(tensor.data, given->data, given->length) == 0);
    CHECK(tensor.data != given->data);
  }
  equiconv_network_close(network);
}

/* A text has the length that a call without room gives. */
static void texts_are_as_long_as_they_say(void) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  size_t length = 0, again = 0;
  CHECK_SUCCESS(equiconv_network_describe(network, 0, NULL, &length));
  char *text = malloc(length + 1);
  CHECK_SUCCESS(equiconv_network_describe(network, length + 1, text, &again));
  CHECK(again == length && strlen(text) == length);
  CHECK(strstr(text, "\"axes\"") != NULL && strstr(text, "\"C4\"") != NULL);
  CHECK_STATUS(equiconv_network_describe(network, length, text, &again), EQUICONV_ERROR_INVALID_SIZE);
  free(text);
  CHECK_SUCCESS(equiconv_network_explain(network, &one, 0, NULL, &length));
  text = malloc(length + 1);
  CHECK_SUCCESS(equiconv_network_explain(network, &one, length + 1, text, &again));
  CHECK(again == length && strlen(text) == length && strstr(text, "\"operations\"") != NULL);
  CHECK(strstr(text, "\"lift\"") != NULL && strstr(text, "\"seconds\"") != NULL);
  free(text);
  equiconv_network_close(network);
}

/* ---- What a network computes ---- */

/** The example, by its definition. */
static void reference(const example_weights *w, const float *image, results *into) {
  for (int o = 0; o < CHANNELS; o++) {
    double sum = 0;
    for (int y = 0; y < SIZE; y++) {
      for (int x = 0; x < SIZE; x++) {
        double largest = 0; /* ReLU and maximum */
        for (int turn = 0; turn < 4; turn++) {
          double value = w->lift_bias[o];
          for (int v = -1; v <= 1; v++) {
            for (int u = -1; u <= 1; u++) {
              if (y + v < 0 || y + v >= SIZE || x + u < 0 || x + u >= SIZE) continue;
              /* The kernel at h^-1 (u, v), rows downwards. */
              const int kernel_u = turn == 0 ? u : turn == 1 ? -v : turn == 2 ? -u : v;
              const int kernel_v = turn == 0 ? v : turn == 1 ? u : turn == 2 ? -v : -u;
              value += (double)w->lift[o * 9 + (kernel_v + 1) * 3 + kernel_u + 1] * image[(y + v) * SIZE + x + u];
            }
          }
          if (value > largest) largest = value;
        }
        into->planes[(o * SIZE + y) * SIZE + x] = (float)largest;
        sum += largest;
      }
    }
    for (int c = 0; c < CLASSES; c++) {
      if (o == 0) into->scores[c] = w->last_bias[c];
      into->scores[c] += (float)(w->last[c * CHANNELS + o] * sum / PIXELS);
    }
  }
}

static void a_network_is_its_operations(void) {
  example_weights weights;
  example_weights_make(&weights);
  static float image[PIXELS];
  static results expected, found;
  fill(image, PIXELS, 7);
  reference(&weights, image, &expected);
  for (int mode = 0; mode < 2; mode++) {
    equiconv_network *network = open_example((equiconv_network_mode)mode);
    CHECK_SUCCESS(equiconv_network_reserve(network, &one));
    CHECK_SUCCESS(run(network, 1, image, &found));
    for (int i = 0; i < CLASSES; i++) CHECK(fabsf(found.scores[i] - expected.scores[i]) < 1e-5f);
    for (int i = 0; i < CHANNELS * PIXELS; i++) CHECK(fabsf(found.planes[i] - expected.planes[i]) < 1e-5f);
    equiconv_network_close(network);
  }
}

static void the_exact_mode_turns_with_its_input(void) {
  static const int64_t spatial[2] = {SIZE, SIZE};
  static float image[PIXELS], turned[PIXELS];
  static results straight, of_turned, expected;
  equiconv_network *network = open_example(EQUICONV_NETWORK_EXACT);
  equiconv_group *c4 = make_group(GROUP_C4);
  fill(image, PIXELS, 8);
  CHECK_SUCCESS(run(network, 1, image, &straight));
  for (int64_t g = 0; g < 4; g++) {
    CHECK_SUCCESS(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, spatial, image, turned));
    CHECK_SUCCESS(equiconv_act(c4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, CHANNELS, spatial, straight.planes,
                               expected.planes));
    CHECK_SUCCESS(run(network, 1, turned, &of_turned));
    CHECK(memcmp(of_turned.scores, straight.scores, CLASSES * sizeof(float)) == 0);
    CHECK(memcmp(of_turned.planes, expected.planes, CHANNELS * PIXELS * sizeof(float)) == 0);
  }
  equiconv_group_destroy(c4);
  equiconv_network_close(network);
}

/* In exact mode an image has its bits in any batch, on any number of threads. */
static void bits_depend_on_the_image_alone(void) {
  static float images[MOST_BATCH * PIXELS];
  static results together, alone;
  equiconv_network *network = open_example(EQUICONV_NETWORK_EXACT);
  fill(images, MOST_BATCH * PIXELS, 9);
  CHECK_SUCCESS(equiconv_set_num_threads(2));
  CHECK_SUCCESS(run(network, MOST_BATCH, images, &together));
  CHECK_SUCCESS(equiconv_set_num_threads(1));
  for (int b = 0; b < MOST_BATCH; b++) {
    CHECK_SUCCESS(run(network, 1, images + b * PIXELS, &alone));
    CHECK(memcmp(alone.scores, together.scores + b * CLASSES, CLASSES * sizeof(float)) == 0);
    CHECK(memcmp(alone.planes, together.planes + b * CHANNELS * PIXELS, CHANNELS * PIXELS * sizeof(float)) == 0);
  }
  CHECK_SUCCESS(equiconv_set_num_threads(2));
  equiconv_network_close(network);
}

static void an_empty_batch_writes_nothing(void) {
  static results before, after;
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  CHECK_SUCCESS(run(network, 0, after.scores, &after));
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  equiconv_network_close(network);
}

/* ---- Files ---- */

static bool same_results(const equiconv_network *a, const equiconv_network *b) {
  static float image[PIXELS];
  static results of_a, of_b;
  fill(image, PIXELS, 10);
  return run(a, 1, image, &of_a) == EQUICONV_SUCCESS && run(b, 1, image, &of_b) == EQUICONV_SUCCESS &&
         memcmp(&of_a, &of_b, sizeof of_a) == 0;
}

static void a_file_gives_the_bits_of_what_was_saved(void) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST), *opened = NULL, *copied = NULL;
  const char *path = temporary_path("saved.safetensors");
  CHECK_SUCCESS(equiconv_network_save(network, path));
  CHECK_SUCCESS(equiconv_network_open(path, NULL, &opened));
  size_t length = 0, again = 0;
  unsigned char *bytes = read_bytes(path, &length);
  CHECK(bytes != NULL && length > 8);
  CHECK_SUCCESS(equiconv_network_save(opened, path)); /* in place of the file that it came from */
  unsigned char *bytes_again = read_bytes(path, &again);
  CHECK(again == length && memcmp(bytes, bytes_again, length) == 0);
  CHECK_SUCCESS(equiconv_network_open_memory(bytes, length, NULL, &copied));
  memset(bytes, 0, length);
  CHECK(same_results(network, opened) && same_results(network, copied));
  free(bytes);
  free(bytes_again);
  unlink(path);
  CHECK(same_results(network, opened));
  equiconv_network_close(network);
  equiconv_network_close(opened);
  equiconv_network_close(copied);
}

static void bytes_may_begin_anywhere(void) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST), *copied = NULL;
  const char *path = temporary_path("moved.safetensors");
  CHECK_SUCCESS(equiconv_network_save(network, path));
  size_t length = 0;
  unsigned char *bytes = read_bytes(path, &length), *moved = malloc(length + 3);
  memcpy(moved + 3, bytes, length);
  CHECK_SUCCESS(equiconv_network_open_memory(moved + 3, length, NULL, &copied));
  CHECK(same_results(network, copied));
  free(bytes);
  free(moved);
  unlink(path);
  equiconv_network_close(network);
  equiconv_network_close(copied);
}

/* ---- Threads ---- */

typedef struct {
  pthread_t thread;
  const equiconv_network *network;
  const results *expected;
  long broken;
} worker;

static float shared_images[MOST_BATCH * PIXELS];

static void *run_often(void *argument) {
  worker *w = argument;
  results *found = malloc(sizeof *found);
  for (int i = 0; i < 40; i++) {
    const int b = i % MOST_BATCH;
    const equiconv_status status = run(w->network, 1, shared_images + b * PIXELS, found);
    w->broken += status != EQUICONV_SUCCESS ||
                 memcmp(found->scores, w->expected->scores + b * CLASSES, CLASSES * sizeof(float)) != 0;
    equiconv_shape other = {4, {1, 1, 5 + i % 7, 6}}, shape; /* sizes that others ask for too */
    w->broken += equiconv_network_reserve(w->network, &other) != EQUICONV_SUCCESS ||
                 equiconv_network_get_output_shape(w->network, 1, &other, &shape) != EQUICONV_SUCCESS;
  }
  free(found);
  return NULL;
}

static void threads_share_a_network(void) {
  enum { THREADS = 4 };
  static results expected;
  static worker workers[THREADS];
  equiconv_network *network = open_example(EQUICONV_NETWORK_EXACT);
  fill(shared_images, MOST_BATCH * PIXELS, 11);
  CHECK_SUCCESS(run(network, MOST_BATCH, shared_images, &expected));
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.network = network, .expected = &expected};
    CHECK(pthread_create(&workers[i].thread, NULL, run_often, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(workers[i].thread, NULL) == 0);
    CHECK(workers[i].broken == 0);
  }
  equiconv_network_close(network);
}

/* ---- A call that its caller ends ---- */

static int32_t always(void *asked) { return ++*(int *)asked > 0; }

static void a_run_ends_when_its_caller_wants(void) {
  enum { ROWS = 2048 };
  const equiconv_shape large = {4, {4, 1, ROWS, ROWS}};
  const size_t pixels = (size_t)4 * ROWS * ROWS;
  float *image = calloc(pixels, sizeof(float)), *planes = calloc(pixels * CHANNELS, sizeof(float)), scores[4 * CLASSES];
  void *const outputs[EXAMPLE_OUTPUTS] = {scores, planes};
  equiconv_network *network = open_example(EQUICONV_NETWORK_EXACT), *fresh = open_example(EQUICONV_NETWORK_EXACT);
  int asked = 0;
  equiconv_call call = {sizeof call, always, &asked, EQUICONV_SUCCESS, {0}};
  CHECK_STATUS(
      equiconv_network_run_with_call(network, EQUICONV_FLOAT32, &large, image, outputs, EXAMPLE_OUTPUTS, &call),
      EQUICONV_ERROR_CANCELLED);
  CHECK(asked == 1 && strstr(call.message, "cancelled") != NULL);
  CHECK(same_results(network, fresh));
  free(image);
  free(planes);
  equiconv_network_close(network);
  equiconv_network_close(fresh);
}

/* ---- Files that are not what they say ---- */

/** Opens bytes and, if that succeeds, runs what was opened. Whether the statuses are known and have messages. */
static bool is_survived(const unsigned char *bytes, size_t length) {
  unsigned char *copy = malloc(length > 0 ? length : 1); /* of this very length, for memory checkers */
  memcpy(copy, bytes, length);
  equiconv_network *network = NULL;
  const equiconv_status status = equiconv_network_open_memory(copy, length, NULL, &network);
  free(copy);
  if (status != EQUICONV_SUCCESS) {
    return network == NULL && strcmp(equiconv_status_name(status), "unknown status") != 0 &&
           strstr(equiconv_last_error_message(), "expected") != NULL;
  }
  static float image[PIXELS];
  static results found;
  equiconv_shape shape;
  bool fits = equiconv_network_output_count(network) == EXAMPLE_OUTPUTS;
  const size_t room[EXAMPLE_OUTPUTS] = {sizeof found.scores, sizeof found.planes};
  for (int32_t i = 0; fits && i < EXAMPLE_OUTPUTS; i++) {
    fits = equiconv_network_get_output_shape(network, i, &one, &shape) == EQUICONV_SUCCESS;
    size_t bytes_needed = sizeof(float);
    for (int axis = 0; fits && axis < shape.rank; axis++) bytes_needed *= (size_t)shape.sizes[axis];
    fits = fits && bytes_needed <= room[i];
  }
  if (fits) (void)run(network, 1, image, &found);
  equiconv_network_close(network);
  return true;
}

static unsigned char *example_file(size_t *length) {
  equiconv_network *network = open_example(EQUICONV_NETWORK_FAST);
  const char *path = temporary_path("hostile.safetensors");
  CHECK_SUCCESS(equiconv_network_save(network, path));
  equiconv_network_close(network);
  unsigned char *bytes = read_bytes(path, length);
  unlink(path);
  return bytes;
}

static void every_truncation_is_an_error(void) {
  size_t length = 0;
  unsigned char *bytes = example_file(&length);
  equiconv_network *network = NULL;
  for (size_t end = 0; end < length; end++) {
    CHECK(equiconv_network_open_memory(bytes, end, NULL, &network) != EQUICONV_SUCCESS && network == NULL);
    CHECK(is_survived(bytes, end));
  }
  free(bytes);
}

static void changed_bytes_are_survived(void) {
  static const char letters[] = "0123456789-+.,[]{}\":eE\\u \n\xff";
  size_t length = 0;
  unsigned char *bytes = example_file(&length), *changed = malloc(length + 1);
  uint64_t header;
  memcpy(&header, bytes, 8);
  test_random random = {12};
  for (int i = 0; i < 20000; i++) {
    memcpy(changed, bytes, length);
    for (int64_t changes = random_between(&random, 1, 3); changes > 0; changes--) {
      const size_t place = (size_t)random_between(&random, 0, (int64_t)header + 7);
      changed[place] = random_between(&random, 0, 1)
                           ? (unsigned char)letters[random_between(&random, 0, sizeof letters - 2)]
                           : (unsigned char)random_bits(&random);
    }
    CHECK(is_survived(changed, length));
  }
  free(bytes);
  free(changed);
}

int main(void) {
  RUN(a_network_says_what_it_is);
  RUN(initializers_agree);
  RUN(null_is_an_empty_network);
  RUN(shapes_follow_from_the_input);
  RUN(tensors_are_those_that_were_given);
  RUN(texts_are_as_long_as_they_say);
  RUN(a_network_is_its_operations);
  RUN(the_exact_mode_turns_with_its_input);
  RUN(bits_depend_on_the_image_alone);
  RUN(an_empty_batch_writes_nothing);
  RUN(a_file_gives_the_bits_of_what_was_saved);
  RUN(bytes_may_begin_anywhere);
  RUN(threads_share_a_network);
  RUN(a_run_ends_when_its_caller_wants);
  RUN(every_truncation_is_an_error);
  RUN(changed_bytes_are_survived);
  return test_result();
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network_example.h"
#include "wrong.h"

/* ---- Pointers, options, files ---- */

static void wrong_opening(void) {
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "path is NULL", equiconv_network_open(NULL, NULL, &out.network));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "network is NULL", equiconv_network_open("path", NULL, NULL));
  WRONG(EQUICONV_ERROR_FILE_SYSTEM, "No such file", equiconv_network_open("/nowhere/at all", NULL, &out.network));
  WRONG(EQUICONV_ERROR_FILE_SYSTEM, "/", equiconv_network_open("/", NULL, &out.network));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "bytes is NULL", equiconv_network_open_memory(NULL, 8, NULL, &out.network));
  WRONG(EQUICONV_ERROR_TOO_LARGE, "header", equiconv_network_open_memory("equiconv", 8, NULL, &out.network));
  WRONG(EQUICONV_ERROR_INVALID_FILE, "", equiconv_network_open_memory("\2\0\0\0\0\0\0\0{}", 10, NULL, &out.network));
  WRONG(EQUICONV_ERROR_INVALID_FILE, "", equiconv_network_open_memory("", 0, NULL, &out.network));
  options.struct_size = 3;
  WRONG(EQUICONV_ERROR_STRUCT_SIZE, "options.struct_size is 3", equiconv_network_open("path", &options, &out.network));
  equiconv_network_options_init(&options);
  options.mode = (equiconv_network_mode)2;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "mode is 2", equiconv_network_open("path", &options, &out.network));
}

/* ---- Documents ---- */

/** The example's document with `text` in the place of `found`, as a network; the status. */
static equiconv_status create(const char *found, const char *text) {
  example_weights weights;
  example_weights_make(&weights);
  const char *place = strstr(example_document, found);
  char *document = malloc(strlen(example_document) + strlen(text) + 1);
  if (document == NULL || place == NULL) abort();
  const size_t before = (size_t)(place - example_document);
  memcpy(document, example_document, before);
  strcpy(document + before, text);
  strcat(document, place + strlen(found));
  const equiconv_status status =
      equiconv_network_create(document, strlen(document), weights.tensors, EXAMPLE_TENSORS, NULL, &out.network);
  free(document);
  return status;
}

static void wrong_documents(void) {
  WRONG(EQUICONV_ERROR_UNSUPPORTED_VERSION, "equiconv-network/2", create("equiconv-network/1", "equiconv-network/2"));
  WRONG(EQUICONV_ERROR_UNSUPPORTED_OPERATION, "\"attention\"", create("\"spatial_mean\"", "\"attention\""));
  WRONG(EQUICONV_ERROR_INVALID_DOCUMENT, "v7", create("[\"v1\"]", "[\"v7\"]"));
  WRONG(EQUICONV_ERROR_INVALID_DOCUMENT, "lift.other", create("\"lift.weight\"", "\"lift.other\""));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "lift", create("\"channels\": 1", "\"channels\": 2"));
  WRONG(EQUICONV_ERROR_INVALID_DOCUMENT, "", create("\"mode\"", "\"kind of mean\""));
  WRONG(EQUICONV_ERROR_INVALID_TEXT, "", create("stride=[1,1]", "stride=[1]"));
  WRONG(EQUICONV_ERROR_INVALID_DOCUMENT, "400000000000000", create("[null, null]", "[null, 400000000000000]"));
}

static void wrong_tensors(void) {
  example_weights weights;
  example_weights_make(&weights);
  const size_t length = strlen(example_document);
  equiconv_tensor *const t = weights.tensors;
#define CREATE(count) equiconv_network_create(example_document, length, t, count, NULL, &out.network)
  WRONG(EQUICONV_ERROR_NULL_POINTER, "document is NULL", equiconv_network_create(NULL, 2, t, 4, NULL, &out.network));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "tensors is NULL",
        equiconv_network_create(example_document, length, NULL, 4, NULL, &out.network));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is -1", CREATE(-1));
  WRONG(EQUICONV_ERROR_TOO_LARGE, "count is 9223372036854775807", CREATE(INT64_MAX));
  WRONG(EQUICONV_ERROR_INVALID_DOCUMENT, "lift.weight", CREATE(3));
  t[1].name = NULL;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "tensors[1].name is NULL", CREATE(4));
  t[1].name = "\xff";
  WRONG(EQUICONV_ERROR_INVALID_FILE, "tensors[1].name", CREATE(4));
  t[1].name = t[0].name;
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "last.bias", CREATE(4));
  example_weights_make(&weights);
  t[2].type = "F33";
  WRONG(EQUICONV_ERROR_INVALID_FILE, "tensors[2].type is \"F33\"", CREATE(4));
  t[2].type = NULL;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "tensors[2].type is NULL", CREATE(4));
  example_weights_make(&weights);
  t[3].rank = 9;
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "tensors[3].rank is 9", CREATE(4));
  example_weights_make(&weights);
  t[3].length -= 4;
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "lift.weight", CREATE(4));
  t[3].shape[0] = INT64_MAX;
  WRONG(EQUICONV_ERROR_TOO_LARGE, "lift.weight", CREATE(4));
  t[3].shape[0] = -4;
  WRONG(EQUICONV_ERROR_INVALID_FILE, "lift.weight", CREATE(4));
  example_weights_make(&weights);
  t[3].data = NULL;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "tensors[3].data is NULL", CREATE(4));
}

/* ---- Queries ---- */

static void wrong_questions(const equiconv_network *network) {
  const equiconv_shape good = {4, {1, 1, 5, 5}}, channels = {4, {1, 2, 5, 5}}, axes = {3, {1, 5, 5}},
                       long_shape = {7, {1, 1, 5, 5, 1, 1}}, empty = {4, {1, 1, 0, 5}}, negative = {4, {-1, 1, 5, 5}},
                       huge = {4, {INT64_MAX, 1, INT64_MAX, 5}};
  WRONG(EQUICONV_ERROR_NULL_POINTER, "network is NULL", equiconv_network_get_dtype(NULL, &out.dtype));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "dtype is NULL", equiconv_network_get_dtype(network, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "shape is NULL", equiconv_network_get_input_shape(network, NULL));
#define OUTPUT_SHAPE(index, input) equiconv_network_get_output_shape(network, index, input, &out.sizes)
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL", OUTPUT_SHAPE(0, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output is NULL", equiconv_network_get_output_shape(network, 0, &good, NULL));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "index is 2", OUTPUT_SHAPE(2, &good));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "index is -1", OUTPUT_SHAPE(-1, &good));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "input is of 7 axes", OUTPUT_SHAPE(0, &long_shape));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "(1, 5, 5)", OUTPUT_SHAPE(0, &axes));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "2", OUTPUT_SHAPE(0, &channels));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "0", OUTPUT_SHAPE(0, &empty));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "-1", OUTPUT_SHAPE(0, &negative));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "9223372036854775807", OUTPUT_SHAPE(0, &huge));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "index is 4", equiconv_network_get_tensor(network, 4, &out.tensor));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "index is -1", equiconv_network_get_tensor(network, -1, &out.tensor));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "tensor is NULL", equiconv_network_get_tensor(network, 0, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "capacity is 5", equiconv_network_describe(network, 5, out.text, &out.length));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "text is NULL", equiconv_network_describe(network, 9999, NULL, &out.length));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "length is NULL", equiconv_network_describe(network, 0, NULL, NULL));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "2", equiconv_network_reserve(network, &channels));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "2", equiconv_network_explain(network, &channels, 0, NULL, &out.length));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "capacity is 5",
        equiconv_network_explain(network, &good, 5, out.text, &out.length));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "path is NULL", equiconv_network_save(network, NULL));
  WRONG(EQUICONV_ERROR_FILE_SYSTEM, "No such file", equiconv_network_save(network, "/nowhere/at all"));
}

/* ---- The test in a file ---- */

/** A document with a test, and its arrays: an input of zeros, whose outputs are those of the biases alone. */
static equiconv_status check_with(const char *sha256, float score) {
  static const char test[] = "], \"test\": {\"input\": \"x\", \"outputs\": [\"y\", \"z\"], \"sha256\": \"%s\"}}";
  static const float zeros[4];
  char *document = malloc(strlen(example_document) + sizeof test + 64);
  example_weights weights;
  example_weights_make(&weights);
  memset(weights.lift_bias, 0, sizeof weights.lift_bias);
  const equiconv_tensor tensors[7] = {weights.tensors[0],
                                      weights.tensors[1],
                                      weights.tensors[2],
                                      weights.tensors[3],
                                      {"x", "F32", 4, {1, 1, 1, 1}, zeros, 4},
                                      {"y", "F32", 2, {1, 3}, weights.last_bias, 12},
                                      {"z", "F32", 4, {1, 4, 1, 1}, zeros, 16}};
  const size_t before = strlen(example_document) - 2; /* without "]}" */
  memcpy(document, example_document, before);
  sprintf(document + before, test, sha256);
  weights.last_bias[0] += score;
  equiconv_network *network = NULL;
  equiconv_status status = equiconv_network_create(document, strlen(document), tensors, 7, NULL, &network);
  free(document);
  if (status == EQUICONV_SUCCESS) status = equiconv_network_check(network);
  equiconv_network_close(network);
  return status;
}

static void wrong_own_tests(void) {
  static const char wrong[] = "0000000000000000000000000000000000000000000000000000000000000000";
  char right[65] = {0};
  WRONG(EQUICONV_ERROR_FAILED_TEST, "sha256", check_with(wrong, 0));
  /* The message has the digest that the arrays have: the same in a document that is right about it. */
  const char *digest = strstr(equiconv_last_error_message(), "expected ");
  if (digest != NULL) memcpy(right, digest + strlen("expected "), 64);
  CHECK_SUCCESS(check_with(right, 0));
}

/* ---- Running ---- */

static void wrong_runs(const equiconv_network *network) {
  const equiconv_shape good = {4, {1, 1, 5, 5}}, channels = {4, {1, 2, 5, 5}};
  void *right[2] = {out.output, out.grad_input}, *missing[2] = {out.output, NULL};
  void *over_input[2] = {out.output, out.input + 3}, *over_other[2] = {out.output, out.output + 2};
  void *misaligned[2] = {(char *)out.output + 1, out.grad_input};
#define RUN_WITH(dtype, shape, input, outputs, count) \
  equiconv_network_run(network, (equiconv_dtype)(dtype), shape, input, outputs, count)
  WRONG(EQUICONV_ERROR_NULL_POINTER, "network is NULL",
        equiconv_network_run(NULL, EQUICONV_FLOAT32, &good, out.input, right, 2));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "dtype is 2", RUN_WITH(2, &good, out.input, right, 2));
  WRONG(EQUICONV_ERROR_DTYPE_MISMATCH, "dtype is", RUN_WITH(EQUICONV_FLOAT64, &good, out.input, right, 2));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input_shape is NULL", RUN_WITH(0, NULL, out.input, right, 2));
  WRONG(EQUICONV_ERROR_INVALID_ARRAY, "2", RUN_WITH(0, &channels, out.input, right, 2));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL", RUN_WITH(0, &good, NULL, right, 2));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "outputs is NULL", RUN_WITH(0, &good, out.input, NULL, 2));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "outputs[1] is NULL", RUN_WITH(0, &good, out.input, missing, 2));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "output_count is 1", RUN_WITH(0, &good, out.input, right, 1));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "output_count is -2", RUN_WITH(0, &good, out.input, right, -2));
  WRONG(EQUICONV_ERROR_OVERLAP, "outputs[1]", RUN_WITH(0, &good, out.input, over_input, 2));
  WRONG(EQUICONV_ERROR_OVERLAP, "outputs[1]", RUN_WITH(0, &good, out.input, over_other, 2));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "outputs[0]", RUN_WITH(0, &good, out.input, misaligned, 2));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "input", RUN_WITH(0, &good, (char *)out.input + 2, right, 2));
}

void wrong_networks(void) {
  wrong_opening();
  wrong_documents();
  wrong_tensors();
  equiconv_network *network = NULL;
  CHECK_SUCCESS(example_create(EQUICONV_NETWORK_FAST, &network));
  wrong_questions(network);
  wrong_runs(network);
  wrong_own_tests();
  equiconv_network_close(network);
}

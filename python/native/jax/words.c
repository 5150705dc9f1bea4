/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the words of a compiled program to a layer. The words hold all there is to know, so that a program loaded from
 * JAX's compilation cache by another process is whole. They are checked as bytes from a stranger would be.
 */
#include "jax.h"
#include "../recipes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words of a name: 32 bytes, the last of which are 0. */
#define NAME_WORDS 4

bool jax_fail(jax_problem *problem, XLA_FFI_Error_Code code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  problem->code = code;
  (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
  va_end(arguments);
  return false;
}

bool jax_fail_with(jax_problem *problem, equiconv_status status) {
  const bool memory = status == EQUICONV_ERROR_OUT_OF_MEMORY;
  const char *message = equiconv_last_error_message();
  return jax_fail(problem, memory ? XLA_FFI_Error_Code_RESOURCE_EXHAUSTED : XLA_FFI_Error_Code_INVALID_ARGUMENT,
                  "equiconv: %s", message[0] != 0 ? message : equiconv_status_name((int32_t)status));
}

/* What is left to read; `good` is false once something was not there. */
typedef struct {
  const int64_t *next, *end;
  bool good;
} reader;

static int64_t read_word(reader *words) {
  if (!words->good || words->next == words->end) {
    words->good = false;
    return 0;
  }
  return *words->next++;
}

static int64_t read_in(reader *words, int64_t least, int64_t most) {
  const int64_t value = read_word(words);
  words->good = words->good && value >= least && value <= most;
  return words->good ? value : least;
}

static int32_t read_int(reader *words) { return (int32_t)read_in(words, INT32_MIN, INT32_MAX); }

/* The next `count` words in place; NULL without a failure if count is 0. */
static const int64_t *read_words(reader *words, int64_t count) {
  if (!words->good || count < 0 || count > words->end - words->next) {
    words->good = false;
    return NULL;
  }
  const int64_t *found = words->next;
  words->next += count;
  return count == 0 ? NULL : found;
}

/* Doubles are words with their bits. */
static const double *read_doubles(reader *words, int64_t count) {
  return (const double *)(const void *)read_words(words, count);
}

static double read_double(reader *words) {
  const double *value = read_doubles(words, 1);
  return value == NULL ? 0 : *value;
}

static const char *read_name(reader *words) {
  const char *name = (const char *)read_words(words, NAME_WORDS);
  if (name == NULL || memchr(name, 0, NAME_WORDS * sizeof(int64_t)) == NULL) {
    words->good = false;
    return "";
  }
  return name;
}

/* What a plan is made of; handles and lists are owned. */
typedef struct {
  equiconv_descriptor descriptor;
  equiconv_group *group;
  equiconv_basis *basis;
  equiconv_group_basis *group_basis;
  equiconv_subgroup *stabilizers[2];
  int32_t *lists[4];
} parts;

static void destroy_parts(parts *owned) {
  equiconv_group_destroy(owned->group);
  equiconv_basis_destroy(owned->basis);
  equiconv_group_basis_destroy(owned->group_basis);
  equiconv_subgroup_destroy(owned->stabilizers[0]);
  equiconv_subgroup_destroy(owned->stabilizers[1]);
  for (int i = 0; i < 4; i++) {
    free(owned->lists[i]);
  }
}

/* `count` and so many int32, copied to list `index` of `owned`. Never NULL where all was good. */
static const int32_t *read_list(reader *words, parts *owned, int index, int64_t *count) {
  *count = read_in(words, 0, INT32_MAX);
  const int64_t *values = read_words(words, *count);
  if (!words->good) {
    return NULL;
  }
  int32_t *list = malloc(((size_t)*count + 1) * sizeof *list);
  for (int64_t i = 0; list != NULL && i < *count; i++) {
    words->good = words->good && values[i] >= INT32_MIN && values[i] <= INT32_MAX;
    list[i] = (int32_t)values[i];
  }
  words->good = words->good && list != NULL;
  owned->lists[index] = list;
  return list;
}

static void read_sizes(reader *words, int64_t sizes[3]) {
  for (int axis = 0; axis < 3; axis++) {
    sizes[axis] = read_word(words);
  }
}

static void read_descriptor(reader *words, equiconv_descriptor *descriptor) {
  descriptor->layer = (equiconv_layer_kind)read_int(words);
  descriptor->dtype = (equiconv_dtype)read_int(words);
  descriptor->padding_mode = (equiconv_padding_mode)read_int(words);
  descriptor->algorithm = (equiconv_algorithm)read_int(words);
  descriptor->dimension = read_int(words);
  descriptor->depthwise = read_int(words);
  descriptor->interpolation = (equiconv_interpolation)read_int(words);
  descriptor->quadrature = read_int(words);
  descriptor->in_channels = read_word(words);
  descriptor->out_channels = read_word(words);
  read_sizes(words, descriptor->spatial);
  read_sizes(words, descriptor->kernel);
  read_sizes(words, descriptor->stride);
  read_sizes(words, descriptor->padding);
  read_sizes(words, descriptor->dilation);
}

static equiconv_status read_group(reader *words, parts *owned) {
  const char *kind = read_name(words);
  const int64_t n = read_word(words);
  const int64_t count = read_word(words);
  const double *numbers = read_doubles(words, count);
  return words->good ? recipe_group(kind, n, count, numbers, &owned->group) : EQUICONV_SUCCESS;
}

/* An empty name is no basis. */
static equiconv_status read_basis(reader *words, parts *owned) {
  basis_recipe recipe = {.kind = read_name(words)};
  if (!words->good || recipe.kind[0] == 0) {
    return EQUICONV_SUCCESS;
  }
  recipe.dimension = (int32_t)read_in(words, 1, 3);
  recipe.extents = read_words(words, 3);
  recipe.integer = read_int(words);
  recipe.real = read_double(words);
  recipe.real_count = read_word(words);
  recipe.reals = read_doubles(words, recipe.real_count);
  recipe.integers = read_list(words, owned, 0, &recipe.integer_count);
  return words->good ? recipe_basis(&recipe, &owned->basis) : EQUICONV_SUCCESS;
}

/* 0 for none; 1 and elements; 2, degree, scale and centers. */
static equiconv_status read_group_basis(reader *words, parts *owned) {
  int64_t count;
  switch (read_in(words, 0, 2)) {
  case 1: {
    const int32_t *elements = read_list(words, owned, 1, &count);
    return words->good ? equiconv_group_basis_create_localized(count, elements, &owned->group_basis) : EQUICONV_SUCCESS;
  }
  case 2: {
    const int32_t degree = read_int(words);
    const double scale = read_double(words);
    count = read_word(words);
    const double *centers = read_doubles(words, count);
    return words->good ? equiconv_group_basis_create_bspline(degree, count, centers, scale, &owned->group_basis)
                       : EQUICONV_SUCCESS;
  }
  default: return EQUICONV_SUCCESS;
  }
}

/* The elements of stabilizer `index`, none in the words of a layer that has a name. */
static equiconv_status read_stabilizer(reader *words, parts *owned, int index) {
  int64_t count;
  const int32_t *elements = read_list(words, owned, 2 + index, &count);
  if (!words->good || owned->descriptor.layer != EQUICONV_LAYER_GENERAL) {
    return EQUICONV_SUCCESS;
  }
  return equiconv_subgroup_create(owned->group, count, elements, &owned->stabilizers[index]);
}

/* A status other than success, or words that are not good, where they do not describe a layer. */
static equiconv_status read_parts(reader *words, parts *owned) {
  equiconv_descriptor *descriptor = &owned->descriptor;
  read_descriptor(words, descriptor);
  equiconv_status status = read_group(words, owned);
  if (status == EQUICONV_SUCCESS) {
    status = read_basis(words, owned);
  }
  if (status == EQUICONV_SUCCESS) {
    status = read_group_basis(words, owned);
  }
  for (int index = 0; index < 2 && status == EQUICONV_SUCCESS; index++) {
    status = read_stabilizer(words, owned, index);
  }
  words->good = words->good && words->next == words->end;
  descriptor->group = owned->group;
  descriptor->basis = owned->basis;
  descriptor->group_basis = owned->group_basis;
  descriptor->input_stabilizer = owned->stabilizers[0];
  descriptor->output_stabilizer = owned->stabilizers[1];
  return status;
}

static equiconv_status read_shapes(jax_layer *layer) {
  equiconv_status status = equiconv_plan_get_input_shape(layer->plan, 1, layer->input, &layer->input_rank);
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_plan_get_output_shape(layer->plan, 1, layer->output, &layer->output_rank);
  }
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_plan_get_weight_shape(layer->plan, layer->weight, &layer->weight_rank);
  }
  return status;
}

/* The plan of the words, and its shapes. */
static bool make_plan(jax_layer *layer, jax_problem *problem) {
  reader words = {layer->words, layer->words + layer->word_count, true};
  const int64_t form = read_word(&words);
  if (form != JAX_LAYER_FORM) {
    return jax_fail(problem, XLA_FFI_Error_Code_FAILED_PRECONDITION,
                    "equiconv: the program describes its layer in form %lld, expected %d: it was compiled with another "
                    "version of equiconv",
                    (long long)form, JAX_LAYER_FORM);
  }
  parts owned = {.descriptor = EQUICONV_DESCRIPTOR_INIT};
  equiconv_status status = read_parts(&words, &owned);
  if (status == EQUICONV_SUCCESS && words.good) {
    status = equiconv_plan_create(&owned.descriptor, &layer->plan);
  }
  layer->dtype = owned.descriptor.dtype;
  layer->bias[0] = owned.descriptor.out_channels;
  destroy_parts(&owned);
  if (!words.good || status == RECIPE_UNKNOWN) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: attribute layer has %lld words that do not describe a layer",
                    (long long)layer->word_count);
  }
  if (status == EQUICONV_SUCCESS) {
    status = read_shapes(layer);
  }
  return status == EQUICONV_SUCCESS || jax_fail_with(problem, status);
}

jax_layer *jax_layer_create(const int64_t *words, int64_t count, jax_problem *problem) {
  jax_layer *layer = calloc(1, sizeof *layer);
  int64_t *copy = malloc(((size_t)count + 1) * sizeof *copy);
  if (layer == NULL || copy == NULL) {
    free(layer);
    free(copy);
    jax_fail(problem, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, "equiconv: out of memory");
    return NULL;
  }
  memcpy(copy, words, (size_t)count * sizeof *copy);
  layer->words = copy;
  layer->word_count = count;
  if (!make_plan(layer, problem)) {
    jax_layer_destroy(layer);
    return NULL;
  }
  return layer;
}

void jax_layer_destroy(jax_layer *layer) {
  if (layer != NULL) {
    equiconv_plan_destroy(layer->plan);
    free(layer->words);
    free(layer);
  }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Layers made of the texts in compiled programs, and the table of them: bounded, shared by all threads. */
#include "jax.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Programs of more layers than this make some of them again at every call. */
#define TABLE_SIZE 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static jax_layer *table[TABLE_SIZE];
static int64_t table_count;
static uint64_t clock_ticks;

static void take_lock(void) { (void)pthread_mutex_lock(&lock); }
static void give_lock(void) { (void)pthread_mutex_unlock(&lock); }

/* A child of a fork has the lock as its parent left it: free, since nobody else holds it then. */
static void guard_forks(void) { (void)pthread_atfork(take_lock, give_lock, give_lock); }

/* ---- Made of a text ---- */

static void destroy(jax_layer *layer) {
  if (layer != NULL) {
    equiconv_plan_destroy(layer->plan);
    free(layer->text);
    free(layer);
  }
}

static equiconv_shape shape_of(const jax_shape *shape) {
  equiconv_shape copy = {.rank = (int32_t)shape->rank};
  memcpy(copy.sizes, shape->sizes, sizeof copy.sizes);
  return copy;
}

static equiconv_status make_plan(jax_layer *layer) {
  const equiconv_shape input = shape_of(&layer->arrays.input), weight = shape_of(&layer->arrays.weight);
  equiconv_layer *made = NULL;
  equiconv_shape output = {0};
  equiconv_status status = equiconv_layer_deserialize(layer->text, layer->length, &made);
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_layer_create_plan(made, (equiconv_dtype)layer->arrays.dtype, &input, &weight, &layer->plan);
  }
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_layer_get_output_shape(made, &input, &weight, &output);
  }
  equiconv_layer_destroy(made);
  layer->output.rank = output.rank;
  memcpy(layer->output.sizes, output.sizes, sizeof output.sizes);
  return status;
}

/* A layer without a place in the table. NULL with a problem. */
static jax_layer *create(const char *text, size_t length, const jax_arrays *arrays, jax_problem *problem) {
  jax_layer *layer = calloc(1, sizeof *layer);
  char *copy = malloc(length + 1);
  if (layer == NULL || copy == NULL) {
    free(layer);
    free(copy);
    jax_fail(problem, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, "equiconv: out of memory");
    return NULL;
  }
  memcpy(copy, text, length);
  copy[length] = 0;
  layer->text = copy;
  layer->length = length;
  layer->arrays = *arrays;
  const equiconv_status status = make_plan(layer);
  if (status != EQUICONV_SUCCESS) {
    jax_fail_with(problem, status);
    destroy(layer);
    return NULL;
  }
  return layer;
}

/* ---- The table ---- */

/* FNV-1a of words of 8 bytes, `step` bytes apart. */
static uint64_t hash_words(uint64_t hash, const void *bytes, size_t count, size_t step) {
  for (size_t place = 0; place + sizeof(uint64_t) <= count; place += step) {
    uint64_t word;
    memcpy(&word, (const char *)bytes + place, sizeof word);
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 29;
  }
  return hash;
}

/* Looks at no more than some words of a long text: texts with equal hashes are compared in full. */
static uint64_t hash_of(const char *text, size_t length, const jax_arrays *arrays) {
  enum { WORD = sizeof(uint64_t), MOST_WORDS = 64 };
  const size_t step = length > WORD * MOST_WORDS ? length / MOST_WORDS : WORD;
  const uint64_t start = 14695981039346656037u ^ (uint64_t)length;
  return hash_words(hash_words(start, text, length, step), arrays, sizeof *arrays, WORD);
}

static bool is(const jax_layer *layer, uint64_t hash, const char *text, size_t length, const jax_arrays *arrays) {
  return layer->hash == hash && layer->length == length && memcmp(&layer->arrays, arrays, sizeof *arrays) == 0 &&
         memcmp(layer->text, text, length) == 0;
}

/* The layer of this text for such arrays, with one user more; NULL if there is none. With the lock. */
static jax_layer *find(uint64_t hash, const char *text, size_t length, const jax_arrays *arrays) {
  for (int64_t i = 0; i < table_count; i++) {
    jax_layer *layer = table[i];
    if (is(layer, hash, text, length, arrays)) {
      layer->users++;
      layer->used = ++clock_ticks;
      return layer;
    }
  }
  return NULL;
}

/* Gives a layer a place, and the caller as a user; returns the one that had to go, if nobody has it. With the lock. */
static jax_layer *insert(jax_layer *layer) {
  int64_t place = table_count;
  jax_layer *dropped = NULL;
  if (table_count < TABLE_SIZE) {
    table_count++;
  } else {
    place = 0;
    for (int64_t i = 1; i < TABLE_SIZE; i++) {
      place = table[i]->used < table[place]->used ? i : place;
    }
    dropped = table[place];
    dropped->users--;
    dropped = dropped->users == 0 ? dropped : NULL;
  }
  table[place] = layer;
  /* The table and the caller. */
  layer->users = 2;
  layer->used = ++clock_ticks;
  return dropped;
}

jax_layer *jax_layer_acquire(const char *text, size_t length, const jax_arrays *arrays, jax_problem *problem) {
  (void)pthread_once(&once, guard_forks);
  const uint64_t hash = hash_of(text, length, arrays);
  take_lock();
  jax_layer *layer = find(hash, text, length, arrays);
  give_lock();
  if (layer != NULL) {
    return layer;
  }
  /* Made without the lock: it may take long, and two threads that make the same do no harm. */
  jax_layer *made = create(text, length, arrays, problem);
  if (made == NULL) {
    return NULL;
  }
  made->hash = hash;
  take_lock();
  layer = find(hash, text, length, arrays);
  jax_layer *dropped = layer == NULL ? insert(made) : made;
  give_lock();
  destroy(dropped);
  return layer == NULL ? made : layer;
}

void jax_layer_release(jax_layer *layer) {
  take_lock();
  layer->users--;
  const bool unused = layer->users == 0;
  give_lock();
  if (unused) {
    destroy(layer);
  }
}

int64_t jax_layer_count(void) {
  take_lock();
  const int64_t count = table_count;
  give_lock();
  return count;
}

int64_t jax_layer_limit(void) { return TABLE_SIZE; }

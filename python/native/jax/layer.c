/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layers that compiled programs have asked for: bounded, shared by all threads. */
#include "jax.h"

#include <pthread.h>
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

/* FNV-1a. */
static uint64_t hash_words(const int64_t *words, int64_t count) {
  uint64_t hash = 14695981039346656037u;
  for (int64_t i = 0; i < count; i++) {
    hash = (hash ^ (uint64_t)words[i]) * 1099511628211u;
    hash ^= hash >> 29;
  }
  return hash;
}

/* The layer with these words, with one user more; NULL if there is none. With the lock. */
static jax_layer *find(const int64_t *words, int64_t count, uint64_t hash) {
  for (int64_t i = 0; i < table_count; i++) {
    jax_layer *layer = table[i];
    if (layer->hash == hash && layer->word_count == count &&
        memcmp(layer->words, words, (size_t)count * sizeof *words) == 0) {
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

jax_layer *jax_layer_acquire(const int64_t *words, int64_t count, jax_problem *problem) {
  (void)pthread_once(&once, guard_forks);
  const uint64_t hash = hash_words(words, count);
  take_lock();
  jax_layer *layer = find(words, count, hash);
  give_lock();
  if (layer != NULL) {
    return layer;
  }
  /* Made without the lock: it may take long, and two threads that make the same do no harm. */
  jax_layer *made = jax_layer_create(words, count, problem);
  if (made == NULL) {
    return NULL;
  }
  made->hash = hash;
  take_lock();
  layer = find(words, count, hash);
  jax_layer *dropped = layer == NULL ? insert(made) : made;
  give_lock();
  jax_layer_destroy(dropped);
  return layer == NULL ? made : layer;
}

void jax_layer_release(jax_layer *layer) {
  take_lock();
  layer->users--;
  const bool unused = layer->users == 0;
  give_lock();
  if (unused) {
    jax_layer_destroy(layer);
  }
}

int64_t jax_layer_count(void) {
  take_lock();
  const int64_t count = table_count;
  give_lock();
  return count;
}

int64_t jax_layer_limit(void) { return TABLE_SIZE; }

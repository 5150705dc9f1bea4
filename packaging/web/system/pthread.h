// SPDX-License-Identifier: Apache-2.0

/// One thread: WebAssembly in a page has no other, so a lock is always free and a thread cannot be made.

#pragma once

#include <errno.h>
#include <stddef.h>

/// Not the pointer of the C library: Swift makes one from nothing.
typedef unsigned long pthread_t;
#define __DEFINED_pthread_t
#define __NEED_pthread_once_t
#define __NEED_pthread_key_t
#define __NEED_pthread_mutex_t
#define __NEED_pthread_mutexattr_t
#define __NEED_pthread_cond_t
#define __NEED_pthread_condattr_t
#define __NEED_pthread_attr_t
#include <bits/alltypes.h>

#define PTHREAD_MUTEX_INITIALIZER \
  {                               \
    {                             \
      { 0 }                       \
    }                             \
  }

static inline int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  return (void)mutex, (void)attributes, 0;
}
static inline int pthread_mutex_lock(pthread_mutex_t *mutex) { return (void)mutex, 0; }
static inline int pthread_mutex_unlock(pthread_mutex_t *mutex) { return (void)mutex, 0; }

static inline int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes) {
  return (void)condition, (void)attributes, 0;
}
static inline int pthread_cond_broadcast(pthread_cond_t *condition) { return (void)condition, 0; }
static inline int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
  return (void)condition, (void)mutex, 0;
}

static inline int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                                 void *argument) {
  return (void)thread, (void)attributes, (void)start, (void)argument, EAGAIN;
}
static inline int pthread_detach(pthread_t thread) { return (void)thread, 0; }
/// There are no processes either, and so no forks.
static inline int pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void)) {
  return (void)before, (void)in_parent, (void)in_child, 0;
}

/// Values of the one thread, in System.c.
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);

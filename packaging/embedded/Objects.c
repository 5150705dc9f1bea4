// SPDX-License-Identifier: Apache-2.0

// A function of the runtime of Embedded Swift that has a mistake, written anew.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HIDDEN __attribute__((visibility("hidden")))

/// What an object begins with, and what describes its class.
typedef struct class_description {
  const struct class_description *superclass;
  const void *destroy;
  __attribute__((swiftcall)) void (*destroy_fields)(__attribute__((swift_context)) void *object);
} class_description;

typedef struct {
  const class_description *description;
  intptr_t references;
} heap_object;

/// Frees an object whose initializer has thrown. That of Swift 6.3, which this takes the place of, destroys the fields and
/// forgets the object: each error of an initializer would lose its memory.
///
/// - Parameter initialized: the class whose fields, and those of its superclasses, the initializer has destroyed itself.
HIDDEN void swift_deallocPartialClassInstance(heap_object *object, const class_description *initialized, size_t size,
                                              size_t alignment_mask);
void swift_deallocPartialClassInstance(heap_object *object, const class_description *initialized, size_t size,
                                       size_t alignment_mask) {
  (void)size, (void)alignment_mask;
  for (const class_description *some = object->description; some && some != initialized; some = some->superclass) {
    if (some->destroy_fields) some->destroy_fields(object);
  }
  // Objects on the stack have bits beside the number of references.
  if (object->references == 1) free(object);
}

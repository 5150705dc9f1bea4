// SPDX-License-Identifier: Apache-2.0

// Functions of the runtime of Embedded Swift that have mistakes, written anew.

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

// A reference of 32 bits has no bits of its own: there the function is right.
#if UINTPTR_MAX > UINT32_MAX
/// Adds to the references of an object whose address may have bits of its own, as the address in a string has.
///
/// That of Swift 6.3 returns the address without these bits, and callers on 64-bit ARM go on with what it returns: a
/// text of at most 15 bytes, which is those bits, came out as another.
///
/// - Returns: `object` as it came.
HIDDEN uintptr_t swift_bridgeObjectRetain_n(uintptr_t object, uint32_t count);
uintptr_t swift_bridgeObjectRetain_n(uintptr_t object, uint32_t count) {
  const uintptr_t no_object = UINTPTR_MAX ^ (UINTPTR_MAX >> 1), address_bits = 0x8ffffffffffffff8;
  heap_object *plain = (heap_object *)(object & address_bits);
  // Constants have as many references as can be, and keep them.
  if (!(object & no_object) && plain && (plain->references & INTPTR_MAX) != INTPTR_MAX) {
    __atomic_fetch_add(&plain->references, count, __ATOMIC_RELAXED);
  }
  return object;
}

HIDDEN uintptr_t swift_bridgeObjectRetain(uintptr_t object);
uintptr_t swift_bridgeObjectRetain(uintptr_t object) { return swift_bridgeObjectRetain_n(object, 1); }
#endif

// SPDX-License-Identifier: Apache-2.0
//
// The Swift runtime in this library looks for its own path when it is loaded, to find the program that prints backtraces
// of crashes. In a fully static program without /proc it does not find it and ends the process. It has nothing to look
// for: crashes are the concern of the program that this library is part of. Linked before the runtime's own archive, this
// definition takes the place of the runtime's.
#include <stddef.h>

__attribute__((visibility("hidden"))) const char *swift_copyAuxiliaryExecutablePath(const char *name);

/// The path of a program of the Swift runtime: none.
const char *swift_copyAuxiliaryExecutablePath(const char *name) {
  (void)name;
  return NULL;
}

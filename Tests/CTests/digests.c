/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a digest of each of many results, to be the same on every processor: run.sh compares them with a table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "digest.h"
#include "test.h"

void print_digest(const char *name, const void *array, size_t bytes) {
  uint64_t digest = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes; i++) digest = (digest ^ ((const unsigned char *)array)[i]) * 0x100000001b3u;
  printf("%s %016" PRIx64 "\n", name, digest);
}

int main(void) {
  /* Which tiles are used depends on threads, whatever processors there are. */
  if (equiconv_set_num_threads(2) != EQUICONV_SUCCESS) return 1;
  RUN(print_layer_digests);
  RUN(print_network_digests);
  return test_result();
}

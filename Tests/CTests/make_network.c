/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the network of network_example.h, with its scores as the only output, to the file that is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_example.h"

/** The document without its second output. */
static char *shorter_document(void) {
  char *text = malloc(strlen(example_document) + 1);
  const char *place = strstr(example_document, "\"planes\", \"value\"");
  if (text == NULL || place == NULL) abort();
  while (*place != ',') place--; /* that before the second output */
  const size_t before = (size_t)(place - example_document);
  memcpy(text, example_document, before);
  strcpy(text + before, "]}");
  return text;
}

int main(int argc, char **argv) {
  example_weights weights;
  example_weights_make(&weights);
  char *document = shorter_document();
  equiconv_network *network = NULL;
  equiconv_status status =
      argc == 2 ? equiconv_network_create(document, strlen(document), weights.tensors, EXAMPLE_TENSORS, NULL, &network)
                : EQUICONV_ERROR_NULL_POINTER;
  free(document);
  if (status == EQUICONV_SUCCESS) status = equiconv_network_save(network, argv[1]);
  if (status != EQUICONV_SUCCESS) fprintf(stderr, "%s\n", equiconv_last_error_message());
  equiconv_network_close(network);
  return status == EQUICONV_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

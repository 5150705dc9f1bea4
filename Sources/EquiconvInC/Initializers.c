// SPDX-License-Identifier: Apache-2.0
//
// The initializers of the header's structs, for languages that see no macros.
#include "equiconv.h"

void equiconv_call_init(equiconv_call *call) {
  if (call != NULL) *call = (equiconv_call)EQUICONV_CALL_INIT;
}

void equiconv_descriptor_init(equiconv_descriptor *descriptor) {
  if (descriptor != NULL) *descriptor = (equiconv_descriptor)EQUICONV_DESCRIPTOR_INIT;
}

void equiconv_explanation_init(equiconv_explanation *explanation) {
  if (explanation != NULL) *explanation = (equiconv_explanation)EQUICONV_EXPLANATION_INIT;
}

void equiconv_network_options_init(equiconv_network_options *options) {
  if (options != NULL) *options = (equiconv_network_options)EQUICONV_NETWORK_OPTIONS_INIT;
}

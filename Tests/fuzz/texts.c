/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of layers, groups and bases: written, read again, and read with some bytes changed. */
#include "fuzz.h"

enum { MOST_CHANGES = 3 };

/** Changes some of the bytes, of which there may be MOST_CHANGES more in the end; their new number. */
static size_t change(char *text, size_t length) {
  static const char letters[] = "0123456789-+.,()[]=/ eabcdfilnorstuy\n\xff";
  for (int64_t changes = between(0, MOST_CHANGES); changes > 0 && length > 0; changes--) {
    const size_t place = (size_t)between(0, (int64_t)length - 1);
    const char letter = letters[between(0, sizeof letters - 1)];
    switch (between(0, 3)) {
    case 0: text[place] = letter; break;
    case 1:
      memmove(text + place + 1, text + place, length - place);
      text[place] = letter;
      length += 1;
      break;
    case 2:
      memmove(text + place, text + place + 1, length - place - 1);
      length -= 1;
      break;
    default: length = place;
    }
  }
  return length;
}

/** The bytes at the end of a page, so that no byte behind them can be read. */
static array copy_of(const char *text, size_t length) {
  array copy = array_make(length, 1);
  if (length > 0) memcpy(copy.numbers, text, length);
  array_protect(&copy);
  return copy;
}

/*
 * One value, one text: what is read from a text writes that text again. Nothing else is a text: so does what is read from
 * changed bytes, or there is none.
 */
#define TEXTS_OF(kind)                                                                                \
  static array kind##_text(const equiconv_##kind *handle, size_t spare) {                             \
    size_t length = 0, written = 0;                                                                   \
    LAW(equiconv_##kind##_serialize(handle, 0, NULL, &length) == EQUICONV_SUCCESS);                   \
    array text = array_make(length + 1 + spare, 1);                                                   \
    LAW(equiconv_##kind##_serialize(handle, length + 1, text.numbers, &written) == EQUICONV_SUCCESS); \
    LAW(written == length && strlen(text.numbers) == length);                                         \
    return text;                                                                                      \
  }                                                                                                   \
                                                                                                      \
  static void kind##_text_ask(const equiconv_##kind *handle) {                                        \
    array text = kind##_text(handle, MOST_CHANGES);                                                   \
    const size_t length = change(text.numbers, strlen(text.numbers));                                 \
    array given = copy_of(text.numbers, length);                                                      \
    equiconv_##kind *read = NULL;                                                                     \
    const equiconv_status status = CALL(equiconv_##kind##_deserialize, given.numbers, length, &read); \
    LAW((status == EQUICONV_SUCCESS) == (read != NULL));                                              \
    if (read != NULL) {                                                                               \
      array again = kind##_text(read, 0);                                                             \
      LAW(strlen(again.numbers) == length && memcmp(again.numbers, text.numbers, length) == 0);       \
      array_end(&again);                                                                              \
      equiconv_##kind##_destroy(read);                                                                \
    }                                                                                                 \
    array_end(&given);                                                                                \
    array_end(&text);                                                                                 \
  }

TEXTS_OF(group)
TEXTS_OF(basis)
TEXTS_OF(group_basis)
TEXTS_OF(layer)

void text_ask(void) {
  const equiconv_group *group = group_choose();
  const equiconv_basis *basis = bases[between(0, BASES - 1)];
  const equiconv_group_basis *group_basis = group_bases[between(0, GROUP_BASES - 1)];
  if (group != NULL) group_text_ask(group);
  if (basis != NULL) basis_text_ask(basis);
  if (group_basis != NULL) group_basis_text_ask(group_basis);
  const equiconv_descriptor descriptor = descriptor_choose();
  equiconv_layer *made = NULL;
  if (CALL(equiconv_layer_create, &descriptor, &made) == EQUICONV_SUCCESS) layer_text_ask(made);
  equiconv_layer_destroy(made);
}

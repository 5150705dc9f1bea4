/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/texts.h: layers, groups and bases as text. A part of equiconv.h: include that. */
#ifndef EQUICONV_TEXTS_H
#define EQUICONV_TEXTS_H

#include "layer_objects.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Layers, groups and bases as text ------------------------------------------------------------------- */

/*
 * A text is one line of ASCII that says how a handle was made, in any process and on any machine, for example
 *
 *   equiconv-group/1 cyclic(4)
 *   equiconv-basis/1 bspline([5,5],3,1.0)
 *
 * docs/LayerFormat.md of the project has the grammar. Texts are canonical: handles made by the same functions of the
 * same arguments have the same text, and what two handles with the same text compute is the same, bit for bit. They
 * begin with a version, which changes when their meaning does.
 */

/** The most bytes of a text. */
#define EQUICONV_MAX_TEXT (1 << 25)

/*
 * f_serialize(handle, capacity, text, length) writes the text and a closing 0 to text[0 .. capacity - 1], and its length
 * without the 0 to `length`. With capacity 0 it writes the length alone, and `text` may be NULL. Errors: INVALID_SIZE
 * where `capacity` is neither 0 nor above the length, OUT_OF_MEMORY.
 */

/** The text of a layer. */
EQUICONV_API equiconv_status equiconv_layer_serialize(const equiconv_layer *layer, size_t capacity, char *text,
                                                      size_t *length);
/** The text of a group. */
EQUICONV_API equiconv_status equiconv_group_serialize(const equiconv_group *group, size_t capacity, char *text,
                                                      size_t *length);
/** The text of a basis. */
EQUICONV_API equiconv_status equiconv_basis_serialize(const equiconv_basis *basis, size_t capacity, char *text,
                                                      size_t *length);
/** The text of a basis on H. */
EQUICONV_API equiconv_status equiconv_group_basis_serialize(const equiconv_group_basis *group_basis, size_t capacity,
                                                            char *text, size_t *length);

/*
 * f_deserialize(text, length, handle) makes a handle of a text of `length` bytes, as the functions that the text names
 * make it. A closing 0 is neither needed nor part of the text. Errors: INVALID_TEXT for anything that is not the text
 * of such a handle, with the place, what is there and what was expected; those of the functions that the text names.
 */

/** The layer of a text. */
EQUICONV_API equiconv_status equiconv_layer_deserialize(const char *text, size_t length, equiconv_layer **layer);
/** The group of a text. */
EQUICONV_API equiconv_status equiconv_group_deserialize(const char *text, size_t length, equiconv_group **group);
/** The basis of a text. */
EQUICONV_API equiconv_status equiconv_basis_deserialize(const char *text, size_t length, equiconv_basis **basis);
/** The basis on H of a text; not of "full", the value of NULL. */
EQUICONV_API equiconv_status equiconv_group_basis_deserialize(const char *text, size_t length,
                                                              equiconv_group_basis **group_basis);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_TEXTS_H */

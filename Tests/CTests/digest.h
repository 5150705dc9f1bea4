/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of results: one line for each, "name digest", which the tables in Tests/digests hold. */
#ifndef EQUICONV_DIGEST_H
#define EQUICONV_DIGEST_H

#include <stddef.h>

/** Prints "name digest" for the bytes of an array, by FNV-1a of 64 bits. */
void print_digest(const char *name, const void *array, size_t bytes);
/** Layers of lattice groups and of C8: forward passes and gradients. */
void print_layer_digests(void);
/** Pools over a group, functions of single numbers, and a network of all of them. */
void print_network_digests(void);

#endif

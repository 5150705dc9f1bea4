/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and bases by what they are made of, without Python: for the extension, and for compiled programs of JAX. */
#ifndef EQUICONV_RECIPES_H
#define EQUICONV_RECIPES_H

#include "equiconv.h"

/* The status of a recipe that is none, which the engine has not seen and has no message for. */
#define RECIPE_UNKNOWN ((equiconv_status)999)

/*
 * A group: `kind` is the name of its function of equiconv, "axial_cyclic_z" and the like with their axis, or "matrices".
 * `numbers` are the `count` factors of a scaling (n is then the dimension) or similarity (the rotations), and the
 * matrices (n is then the dimension); unused otherwise. RECIPE_UNKNOWN for another kind.
 */
equiconv_status recipe_group(const char *kind, int64_t n, int64_t count, const double *numbers, equiconv_group **group);

/* What a basis is made of; each family reads what it needs. */
typedef struct {
  const char *kind;
  int32_t dimension;
  const int64_t *extents;
  int32_t integer;
  double real;
  int64_t real_count;
  const double *reals;
  int64_t integer_count;
  const int32_t *integers;
} basis_recipe;

/* RECIPE_UNKNOWN for another kind, and for lists that do not fit each other. */
equiconv_status recipe_basis(const basis_recipe *recipe, equiconv_basis **basis);

#endif /* EQUICONV_RECIPES_H */

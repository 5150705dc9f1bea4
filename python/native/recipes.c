/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and bases by what they are made of. */
#include "recipes.h"

#include <string.h>

/* The rest of `kind` behind `prefix` as an axis: "x", "y" or "z"; -1 if it is none. */
static int32_t axis_of(const char *kind, const char *prefix) {
  const size_t length = strlen(prefix);
  if (strncmp(kind, prefix, length) != 0 || strlen(kind) != length + 1) {
    return -1;
  }
  switch (kind[length]) {
  case 'x': return EQUICONV_AXIS_X;
  case 'y': return EQUICONV_AXIS_Y;
  case 'z': return EQUICONV_AXIS_Z;
  default: return -1;
  }
}

/* Those of one number, or none. */
static equiconv_status create_named(const char *kind, int64_t n, equiconv_group **group) {
  if (strcmp(kind, "trivial") == 0) {
    return equiconv_group_create_trivial((int32_t)n, group);
  }
  if (strcmp(kind, "cyclic") == 0) {
    return equiconv_group_create_cyclic(n, group);
  }
  if (strcmp(kind, "dihedral") == 0) {
    return equiconv_group_create_dihedral(n, group);
  }
  if (axis_of(kind, "axial_cyclic_") >= 0) {
    return equiconv_group_create_axial_cyclic(n, axis_of(kind, "axial_cyclic_"), group);
  }
  if (axis_of(kind, "axial_dihedral_") >= 0) {
    return equiconv_group_create_axial_dihedral(n, axis_of(kind, "axial_dihedral_"), group);
  }
  static const struct {
    const char *kind;
    equiconv_status (*create)(equiconv_group **);
  } single[] = {
      {"reflection", equiconv_group_create_reflection},
      {"octahedral", equiconv_group_create_octahedral},
      {"full_octahedral", equiconv_group_create_full_octahedral},
      {"tetrahedral", equiconv_group_create_tetrahedral},
      {"pyritohedral", equiconv_group_create_pyritohedral},
      {"icosahedral", equiconv_group_create_icosahedral},
      {"full_icosahedral", equiconv_group_create_full_icosahedral},
  };
  for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
    if (strcmp(kind, single[i].kind) == 0) {
      return single[i].create(group);
    }
  }
  return RECIPE_UNKNOWN;
}

equiconv_status recipe_group(const char *kind, int64_t n, int64_t count, const double *numbers,
                             equiconv_group **group) {
  if (n < 0 || n > INT32_MAX) {
    return RECIPE_UNKNOWN;
  }
  if (strcmp(kind, "matrices") == 0) {
    const int64_t entries = n * n;
    if (entries > 0 && count % entries != 0) {
      return RECIPE_UNKNOWN;
    }
    return equiconv_group_create_from_matrices((int32_t)n, entries == 0 ? 0 : count / entries, numbers, group);
  }
  if (strcmp(kind, "scaling") == 0) {
    return equiconv_group_create_scaling((int32_t)n, count, numbers, group);
  }
  if (strcmp(kind, "similarity") == 0) {
    return equiconv_group_create_similarity(n, count, numbers, group);
  }
  return create_named(kind, n, group);
}

/* Those of one integer and one number. */
static equiconv_status create_uniform(const basis_recipe *recipe, equiconv_basis **basis) {
  const int32_t dimension = recipe->dimension, integer = recipe->integer;
  const int64_t *extents = recipe->extents;
  const double real = recipe->real;
  const char *kind = recipe->kind;
  if (strcmp(kind, "pixel") == 0) {
    return equiconv_basis_create_pixel(dimension, extents, integer, basis);
  }
  if (strcmp(kind, "bspline") == 0) {
    return equiconv_basis_create_bspline(dimension, extents, integer, real, basis);
  }
  if (strcmp(kind, "atrous_bspline") == 0) {
    return equiconv_basis_create_atrous_bspline(dimension, extents, integer, real, basis);
  }
  if (strcmp(kind, "round_bspline") == 0) {
    return equiconv_basis_create_round_bspline(dimension, extents, integer, real, basis);
  }
  if (strcmp(kind, "circular_harmonics") == 0) {
    return equiconv_basis_create_circular_harmonics(extents[0], integer, basis);
  }
  if (strcmp(kind, "gaussian_derivatives") == 0) {
    return equiconv_basis_create_gaussian_derivatives(dimension, extents, integer, real, basis);
  }
  return RECIPE_UNKNOWN;
}

equiconv_status recipe_basis(const basis_recipe *recipe, equiconv_basis **basis) {
  if (recipe->dimension < 1 || recipe->dimension > 3) {
    return RECIPE_UNKNOWN;
  }
  if (strcmp(recipe->kind, "bspline_at") == 0) {
    if (recipe->real_count % recipe->dimension != 0) {
      return RECIPE_UNKNOWN;
    }
    return equiconv_basis_create_bspline_at(recipe->dimension, recipe->extents, recipe->integer, recipe->real,
                                            recipe->real_count / recipe->dimension, recipe->reals, basis);
  }
  if (strcmp(recipe->kind, "harmonic_rings") == 0) {
    if (recipe->real_count != recipe->integer_count) {
      return RECIPE_UNKNOWN;
    }
    return equiconv_basis_create_harmonic_rings(recipe->extents[0], recipe->real_count, recipe->reals, recipe->integers,
                                                recipe->real, basis);
  }
  return create_uniform(recipe, basis);
}

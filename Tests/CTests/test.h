/* SPDX-License-Identifier: Apache-2.0 */
/* What all C tests share: counted checks, seeded random numbers, guarded arrays, layers of a descriptor. */
#ifndef EQUICONV_TEST_H
#define EQUICONV_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "equiconv.h"

/* ---- Checks ---- */

void test_check(bool holds, const char *what, const char *file, int line);
void test_status(int32_t status, int32_t expected, const char *call, const char *file, int line);
/** Runs one test and prints a line "ok ..." or "FAIL ...". */
void test_run(const char *name, void (*test)(void));
/** What main returns: 0 if all tests passed. */
int test_result(void);

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_STATUS(call, expected) test_status((int32_t)(call), (int32_t)(expected), #call, __FILE__, __LINE__)
#define CHECK_SUCCESS(call) CHECK_STATUS(call, EQUICONV_SUCCESS)
#define RUN(test) test_run(#test, test)

/* ---- Random numbers (splitmix64) ---- */

typedef struct test_random {
  uint64_t state;
} test_random;

uint64_t random_bits(test_random *random);
/** Uniform in low...high. */
int64_t random_between(test_random *random, int64_t low, int64_t high);
/** `count` numbers of `dtype`, uniform in [-1, 1). */
void random_fill(test_random *random, int32_t dtype, void *array, int64_t count);

/* ---- Arrays with guard bytes on both sides ---- */

void *guarded_alloc(size_t bytes);
/** Whether nothing was written outside the array. */
bool guards_intact(const void *array);
void guarded_free(void *array);

size_t dtype_size(int32_t dtype);
double element(const void *array, int32_t dtype, int64_t index);

/* ---- Groups by number: first every kind of lattice group, then others ---- */

enum { TEST_GROUPS = 15, ALL_GROUPS = 23 };
/**
 * Trivial (1 to 3 axes), reflection, C2, C4, D1, D2, D4, octahedral, full octahedral, tetrahedral, pyritohedral, C4 about
 * x, D2 about y; C3, C8, D6, scalings by 1 and 2 of the line, by 1, 1.4 and 0.7 of the plane, C4 with scalings by 1 and
 * 1.5, C8 about z, the icosahedral group.
 */
equiconv_group *make_group(int number);
enum { GROUP_TRIVIAL2 = 1, GROUP_REFLECTION = 3, GROUP_C4 = 5, GROUP_D4 = 8, GROUP_OCTAHEDRAL = 9, GROUP_FULL = 10 };
enum { GROUP_C3 = 15, GROUP_C8, GROUP_D6, GROUP_SCALING1, GROUP_SCALING2, GROUP_SIMILARITY, GROUP_AXIAL, GROUP_60 };
/** A subgroup, or NULL and a failed check. */
equiconv_subgroup *make_subgroup(const equiconv_group *group, int64_t count, const int32_t *elements);
/** Whether an element's matrix is a signed permutation, so that it maps the grid to itself. */
bool is_lattice_element(const equiconv_group *group, int64_t element);

/* ---- Bases by number, of extent k on every axis; NULL for number 0, the pixels of a descriptor ---- */

enum { TEST_BASES = 7 };
/** Pixels (cubic splines), dense, atrous, round and placed B-splines, Gaussian derivatives; 2-D: also harmonics (7). */
equiconv_basis *make_basis(int number, int32_t dimension, int64_t extent);

/** A descriptor of the direct algorithm with the same kernel, stride, padding, dilation on all axes. */
equiconv_descriptor make_descriptor(const equiconv_group *group, int32_t layer, int32_t dtype, int64_t channels_in,
                                    int64_t channels_out, int64_t spatial, int64_t kernel);

/* ---- A plan with its arrays, filled with random numbers ---- */

typedef struct test_layer {
  equiconv_plan *plan;
  int32_t dtype;
  int64_t batch, inputs, outputs, weights, biases;
  void *input, *weight, *bias, *output;
} test_layer;

/** Makes the plan and its arrays; counts as failed, with plan NULL, if the descriptor is not accepted. */
test_layer layer_make(const equiconv_descriptor *descriptor, int64_t batch, test_random *random);
void layer_forward(const test_layer *layer);
/** Checks the guards of all arrays and frees everything. */
void layer_free(test_layer *layer);

int64_t shape_count(const int64_t *shape);

#endif

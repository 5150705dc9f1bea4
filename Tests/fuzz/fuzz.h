/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of calls of the C interface, read from bytes: each byte chooses what comes next, so that whatever mutates the bytes
 * mutates the program. Sizes are mostly valid and now and then hostile; arrays end at a page without access.
 */
#ifndef EQUICONV_FUZZ_H
#define EQUICONV_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "equiconv.h"

/* ---- Laws: a broken one ends the process, for the fuzzer to keep the bytes ---- */

_Noreturn void law_broken(const char *law, const char *file, int line);
#define LAW(condition) ((condition) ? (void)0 : law_broken(#condition, __FILE__, __LINE__))

/* ---- Bytes: where they end, zeros follow ---- */

void bytes_begin(const uint8_t *data, size_t size);
bool bytes_left(void);
uint64_t bytes_take(size_t count);
/** In low...high. */
int64_t between(int64_t low, int64_t high);
/** True once in `times`, by bytes that are not zeros. */
bool seldom(int64_t times);
/** Any number: the ends of types, powers of two, and their like. */
int64_t wild(void);
/** In low...high, and now and then any number. */
int64_t size_between(int64_t low, int64_t high);
int32_t kind_between(int32_t low, int32_t high);
/** In [-2, 2], and now and then an infinity, no number, a tiny or a huge one. */
double real(void);

/* ---- Arrays between pages without access ---- */

typedef struct array {
  void *numbers;
  size_t bytes;
  uint8_t *pages;
  size_t length;
} array;

/** Filled with a pattern; at the end of its pages or at their beginning. */
array array_make(size_t bytes, size_t alignment);
/** `count` numbers of a dtype, in [-1, 1) or, if `special`, anything; only readable. */
array array_of_numbers(int32_t dtype, int64_t count, bool special);
/** Whether every byte of it is still the pattern. */
bool array_is_untouched(const array *a);
void array_protect(array *a);
/** Checks what lies about the array, and ends it. */
void array_end(array *a);
double number_at(const array *a, int32_t dtype, int64_t index);
size_t dtype_bytes(int32_t dtype);

/* ---- Calls: with the plain function or its variant, as the bytes say; the status, whose message was checked ---- */

extern equiconv_call fuzz_call;
bool call_begin(void);
equiconv_status call_end(equiconv_status status, bool has_call);
#define CALL(f, ...) \
  (call_begin() ? call_end(f##_with_call(__VA_ARGS__, &fuzz_call), true) : call_end(f(__VA_ARGS__), false))

/* ---- What a program works on ---- */

enum { GROUPS = 4, SUBGROUPS = 4, BASES = 4, GROUP_BASES = 2, PLANS = 3, WEIGHTS = 2 };

typedef struct layer {
  equiconv_plan *plan;
  equiconv_descriptor descriptor; /* its handles are borrowed and may have ended: only numbers are read */
} layer;

extern equiconv_group *groups[GROUPS];
extern equiconv_subgroup *subgroups[SUBGROUPS];
extern equiconv_basis *bases[BASES];
extern equiconv_group_basis *group_bases[GROUP_BASES];
extern layer layers[PLANS];
extern equiconv_weight *weights[WEIGHTS];

void group_create(void);
/** A subgroup of `group` where there is one, and now and then of another; in one of two places from `place` on. */
const equiconv_subgroup *subgroup_choose(const equiconv_group *group, int64_t place);
void group_ask(void);
void basis_create(void);
void basis_ask(void);
void layer_create(void);
void layer_ask(void);
void layer_run(void);
void layer_run_wrongly(void);
void layer_call(void);
void signal_act(void);
void signal_pool(void);
void text_ask(void);
void network_ask(void);
void runtime_set(void);
void everything_end(void);

/** One of those there are; NULL only if there is none, and now and then. */
const equiconv_group *group_choose(void);
const layer *layer_choose(void);

/** A descriptor of a layer made of the handles at hand. */
equiconv_descriptor descriptor_choose(void);
/** Whether plan and batch are small enough to run, arrays and work. */
bool is_small(const layer *l, int64_t batch);

typedef struct shapes {
  int64_t input[EQUICONV_MAX_RANK], output[EQUICONV_MAX_RANK], weight[EQUICONV_MAX_RANK];
  int64_t inputs, outputs, weights, channels;
  int32_t rank_in, rank_out;
} shapes;
shapes shapes_of(const layer *l, int64_t batch);

/** Compares `output` with the ordinary convolution by the expanded filter bank. */
void compare_with_expansion(const layer *l, const shapes *s, const array *input, const array *weight, const array *bias,
                            const array *output);

#endif

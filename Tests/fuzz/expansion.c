/* SPDX-License-Identifier: Apache-2.0 */
/* A layer beside the ordinary convolution by its expanded filter bank, computed here in double. */
#include <float.h>
#include <math.h>

#include "fuzz.h"

typedef struct plane {
  int64_t size[3], out[3], taps[3], padding[3];
} plane;

static int64_t volume(const int64_t axes[3]) { return axes[0] * axes[1] * axes[2]; }

/** Sizes along three axes, the missing ones of extent 1; the padding grown with the sampled kernel. */
static plane plane_of(const equiconv_descriptor *d, const shapes *s, const int64_t taps[3]) {
  plane p = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  /* What the descriptor says of other axes may be anything. */
  for (int axis = 0; axis < d->dimension; axis++) {
    p.size[axis] = s->input[s->rank_in - d->dimension + axis];
    p.out[axis] = s->output[s->rank_out - d->dimension + axis];
    p.taps[axis] = taps[axis];
    const int64_t same = d->dilation[axis] * (d->kernel[axis] - 1) / 2;
    const int64_t given = d->padding[axis] == EQUICONV_PADDING_SAME ? same : d->padding[axis];
    p.padding[axis] = given + d->dilation[axis] * (taps[axis] - d->kernel[axis]) / 2;
  }
  return p;
}

/** The position of a signal that continues so; -1 for a zero. */
static int64_t continued(int32_t mode, int64_t at, int64_t size) {
  switch (mode) {
  case EQUICONV_PADDING_CIRCULAR: return (at % size + size) % size;
  case EQUICONV_PADDING_REPLICATE: return at < 0 ? 0 : at < size ? at : size - 1;
  case EQUICONV_PADDING_REFLECT:
    if (size == 1) return 0;
    while (at < 0 || at >= size) at = at < 0 ? -at : 2 * (size - 1) - at;
    return at;
  default: return at >= 0 && at < size ? at : -1;
  }
}

/** The place in the plane that a tap reads for an output; -1 if there is none. */
static int64_t read_at(const equiconv_descriptor *d, const plane *p, const int64_t out[3], const int64_t tap[3]) {
  int64_t index = 0;
  for (int axis = 0; axis < 3; axis++) {
    int64_t at =
        axis < d->dimension ? out[axis] * d->stride[axis] + tap[axis] * d->dilation[axis] - p->padding[axis] : 0;
    at = continued(axis < d->dimension ? (int32_t)d->padding_mode : EQUICONV_PADDING_ZEROS, at, p->size[axis]);
    if (at < 0) return -1;
    index = index * p->size[axis] + at;
  }
  return index;
}

static void unravel(int64_t index, const int64_t size[3], int64_t at[3]) {
  for (int axis = 2; axis >= 0; axis--, index /= size[axis + 1]) at[axis] = index % size[axis];
}

typedef struct number {
  double value, size;
} number;

/** One output: its value, and the sum of sizes of which it was made. `first` is the first channel that it reads. */
static number output_at(const equiconv_descriptor *d, const plane *p, const array *input, const array *bank,
                        int64_t row, int64_t channels, int64_t first, int64_t out_index) {
  int64_t out[3], tap[3];
  number n = {0, 0};
  unravel(out_index, p->out, out);
  for (int64_t t = 0; t < volume(p->taps); t++) {
    unravel(t, p->taps, tap);
    const int64_t from = read_at(d, p, out, tap);
    for (int64_t c = 0; from >= 0 && c < channels; c++) {
      const double term = number_at(bank, d->dtype, (row * channels + c) * volume(p->taps) + t) *
                          number_at(input, d->dtype, (first + c) * volume(p->size) + from);
      n.value += term;
      n.size += fabs(term);
    }
  }
  return n;
}

static double tolerance(const equiconv_descriptor *d) {
  if (d->dtype == EQUICONV_FLOAT64) return 1e-11;
  return d->algorithm == EQUICONV_ALGORITHM_DIRECT ? 1e-4 : 2e-3;
}

void compare_with_expansion(const layer *l, const shapes *s, const array *input, const array *weight, const array *bias,
                            const array *output) {
  const equiconv_descriptor *d = &l->descriptor;
  int64_t shape[EQUICONV_MAX_RANK], taps[3];
  int32_t rank;
  LAW(CALL(equiconv_plan_get_bank_shape, l->plan, shape, &rank) == EQUICONV_SUCCESS);
  LAW(CALL(equiconv_plan_get_sampled_kernel, l->plan, taps) == EQUICONV_SUCCESS);
  const plane p = plane_of(d, s, taps);
  const int64_t rows = shape[0], channels = shape[1], numbers = rows * channels * volume(p.taps);
  const double work = (double)s->outputs * (double)channels * (double)volume(p.taps);
  if (s->inputs == 0 || numbers > 1 << 17 || work > 1 << 20) return;
  array bank = array_make((size_t)numbers * dtype_bytes(d->dtype), dtype_bytes(d->dtype));
  const equiconv_status status = CALL(equiconv_plan_expand, l->plan, weight->numbers, bank.numbers);
  const int64_t fiber = rows / s->channels, each = volume(p.out);
  for (int64_t i = 0; status == EQUICONV_SUCCESS && i < s->outputs; i++) {
    const int64_t row = i / each % rows;
    const double added = bias == NULL ? 0 : number_at(bias, d->dtype, row / fiber);
    const int64_t part = row / (rows / d->channel_groups), image = i / each / rows;
    const int64_t first = (image * d->channel_groups + part) * channels;
    const number n = output_at(d, &p, input, &bank, row, channels, first, i % each);
    LAW(fabs(number_at(output, d->dtype, i) - n.value - added) <= tolerance(d) * (n.size + fabs(added) + 1));
  }
  array_end(&bank);
}

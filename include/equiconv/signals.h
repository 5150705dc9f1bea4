/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/signals.h: the action of H on signals, and pooling over H. A part of equiconv.h: include that. */
#ifndef EQUICONV_SIGNALS_H
#define EQUICONV_SIGNALS_H

#include "groups.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Action and pooling ---------------------------------------------------------------------------------- */

/**
 * The action on a signal of an element g that maps the grid to itself, exact: (L_g f)(x) = f(g^-1 x) about the center
 * of the array, and (L_g f)(h', x) = f(g^-1 h', g^-1 x) on a group signal. `spatial` has the d input sizes; where g
 * exchanges axes the output has them exchanged too. `output` has as many numbers as `input` and must not overlap it.
 * Error: UNSUPPORTED_GROUP for an element whose matrix is not a signed permutation, such as a turn by 45 degrees.
 */
EQUICONV_API equiconv_status equiconv_act(const equiconv_group *group, int64_t element, equiconv_dtype dtype,
                                          equiconv_signal signal, int64_t batch, int64_t channels,
                                          const int64_t *spatial, const void *input, void *output);
/**
 * The same on a signal (batch, channels, |H/K|, spatial...) on R^d x H/K: (L_g f)(p, x) = f(g^-1 p, g^-1 x), for the
 * stabilizer K, a subgroup of `group`. Error: NOT_A_SUBGROUP.
 */
EQUICONV_API equiconv_status equiconv_act_on(const equiconv_group *group, int64_t element, equiconv_dtype dtype,
                                             const equiconv_subgroup *stabilizer, int64_t batch, int64_t channels,
                                             const int64_t *spatial, const void *input, void *output);

/**
 * Mean or maximum over H: input (outer, order, inner) -> output (outer, inner), where outer = batch * channels and
 * inner is the product of the spatial sizes. The mean is accumulated in double, in an order that depends only
 * on the values, so it commutes with every permutation of H to the last bit. A maximum over values with a NaN is NaN.
 */
EQUICONV_API equiconv_status equiconv_group_pool(equiconv_dtype dtype, equiconv_pool_mode mode, int64_t outer,
                                                 int64_t order, int64_t inner, const void *input, void *output);
/**
 * Gradient of equiconv_group_pool: grad_output (outer, inner) -> grad_input (outer, order, inner). The mean spreads it
 * evenly; the maximum passes it to the largest value, in equal parts if several are equal. `input` may be NULL for the
 * mean.
 */
EQUICONV_API equiconv_status equiconv_group_pool_vjp(equiconv_dtype dtype, equiconv_pool_mode mode, int64_t outer,
                                                     int64_t order, int64_t inner, const void *grad_output,
                                                     const void *input, void *grad_input);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_SIGNALS_H */

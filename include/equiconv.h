/* SPDX-License-Identifier: Apache-2.0 */
/**
 * equiconv.h: group convolutions for G = R^d x| H on the CPU (d = 1, 2 or 3).
 *
 * This header and its parts, in the folder equiconv beside it, are the whole C interface and its manual.
 *
 * INTRODUCTION
 *
 * Every bounded linear map between feature maps that commutes with a group G is a group convolution (Bekkers,
 * "B-Spline CNNs on Lie Groups", ICLR 2020, Theorem 1). H is the stabilizer of the origin, written as d x d matrices.
 * Signals live either on the plane R^d or on the group G, so there are four layers:
 *
 *   isotropic   R^d -> R^d   y[o,x]   = sum_{c,x'}    kbar[o,c](x' - x) f[c,x']
 *   lifting     R^d -> G     y[o,h,x] = sum_{c,x'}    k[o,c](h^-1 (x' - x)) f[c,x']
 *   group       G -> G       y[o,h,x] = sum_{c,h',x'} k[o,c](h^-1 h', h^-1 (x' - x)) f[c,h',x']
 *   projection  G -> R^d     y[o,x]   = sum_{c,h',x'} kbar[o,c](h', x' - x) f[c,h',x']
 *
 * where kbar is the mean of the kernel over H: kbar(h', u) = mean over h of k(h^-1 h', h^-1 u). These are
 * correlations, as in every deep-learning library, and lifting and group convolution have no factor 1/|H|. Where h
 * enlarges, as in a group of scalings, every kernel has the factor 1/|det h| of the theorem.
 *
 * These are cases of one layer between signals on R^d x H/K and on R^d x H/K', for subgroups K and K' of H, the
 * stabilizers (EQUICONV_LAYER_GENERAL). K = H is the plane, K = {e} the group. For a point p = a K' of the output
 *
 *   general     y[o,p,x] = sum_{c,q,x'} mean over h in p of k[o,c](h^-1 q, h^-1 (x' - x)) / |det h| f[c,q,x']
 *
 * ANY GROUP
 *
 * A *lattice* group, whose matrices are signed permutations, maps the grid of taps to itself, and its turned kernels
 * are exact. For any other group a kernel must be known between the taps too: as the interpolation of its pixels, or
 * as a combination of the functions of an equiconv_basis. It is sampled at h^-1 u for the taps u of the disc (ball)
 * |u| <= s k/2, where s is the scale of h, so that all orientations have the same support. Circular harmonics and
 * Gaussian derivatives, which decay by themselves, use all taps of the square (cube) of that side. An element of
 * scale s > 1 samples on a larger support, 2 ceil(s (k - 1)/2) + 1 taps for an odd extent k; padding grows with it,
 * and outputs stay on the grid of the unscaled kernel. "Scale" is the largest factor by which h lengthens a vector.
 *
 * An infinite group, such as the scalings, is given as a truncated set of its elements. Relative elements h^-1 h'
 * that are not in the set contribute nothing.
 *
 * ARRAYS
 *
 * All arrays are C-contiguous (the last axis varies fastest), of float or double as `dtype` says, aligned to
 * their element. |H| is the order of the group, `spatial` is d axes: (width), (row, column) or
 * (depth, row, column).
 *
 *   plane signal   (batch, channels, spatial...)
 *   group signal   (batch, channels, |H|, spatial...)
 *   quotient       (batch, channels, |H/K|, spatial...), the left cosets of K numbered by first appearance
 *   weight         isotropic, lifting   (out_channels, in_channels, kernel...)
 *                  group, projection    (out_channels, in_channels, |H|, kernel...)
 *                  with a basis, its J functions in place of the axes kernel...; with a basis on H, its I functions
 *                  in place of |H|; from a quotient, |H/K| in place of |H|
 *   bias           (out_channels)       one number per output channel, shared by all of H
 *
 * Tap i of a kernel axis of extent k has the coordinate i - (k - 1) / 2. In 2-D x = column and y = -row (y up),
 * in 3-D x = column, y = -row, z = -depth, so the rotation by +90 degrees turns arrays as numpy.rot90 does.
 * Element 0 of every group is the identity.
 *
 * ALGORITHMS
 *
 * `descriptor.algorithm` says how a layer is computed. docs/Algorithms.md of the project has the measured errors of
 * each.
 *
 *   direct     every call. Exact in the sense below.
 *   fourier    products of tiles in the frequency domain: all passes of layers in 2-D with stride 1 that sum over
 *              all channels, kernels of a reach dilation (k - 1) + 1 up to 32, any group and basis; not
 *              the input gradient of circular padding that changes the size. Fewer operations by a factor that grows
 *              with the kernel. Errors are of the size of the largest numbers of a tile; on random numbers they are
 *              below those of direct.
 *   winograd   small tiles of kernels of a reach up to 3 x 3: forward passes and input gradients of the same layers
 *              in float32. On random numbers errors are about twice those of direct.
 *   group-fourier
 *              the sum over H in the basis of the representations of H: fewer products by a factor that grows with the
 *              group. Exact in the sense below.
 *   exact      for each signal pass (forward, input gradient) the fastest method that is exact in the sense below, by
 *              the same cost model, and for weight gradients the fastest of all. It is chosen by sizes that turning a
 *              signal does not change, neither by the number of threads nor by the batch: results depend on neither.
 *              A pass that no method computes exactly is the error UNSUPPORTED_ALGORITHM.
 *   auto       for each pass what a cost model expects to be fastest. Where the method of `exact` takes at most 10 %
 *              longer, it is that. What it uses may differ between batches, processors and versions;
 *              equiconv_plan_explain reports it, and whether it is exact.
 *
 * With direct, a NaN or an infinity stays with the outputs that read it. With group-fourier it spreads over the
 * elements of H, with fourier and winograd over all outputs of the tiles that read it; infinities become NaNs. These
 * algorithms add and scale numbers: they overflow within a factor of a thousand of the largest number, where the
 * layer's own sums may not. Where the mean of the numbers is many times their deviation, winograd loses digits: see
 * docs/measured/Accuracy.md. auto does not look at the numbers.
 *
 * Asking for an algorithm that cannot do a call is the error UNSUPPORTED_ALGORITHM, which says why; only auto falls
 * back. All but direct work on transformed weights. These are made when a call first needs them and kept in the
 * plan (for the simple calls: in the cache of plans) with a copy of the numbers they were made from. A call uses them
 * only if its weight equals the copy in every bit, so changes of a weight array always take effect. An
 * equiconv_weight is not compared.
 *
 * Their workspace is bounded: see equiconv_set_workspace_limit. Larger calls are computed in parts.
 *
 * EXACTNESS
 *
 * With the direct algorithm each output number is one chain of multiply-adds in one order, whatever the number of
 * threads. The other methods that `exact` chooses from have sums whose order turning does not change either. So for
 * every element g of H that maps the grid to itself (all of a lattice group, the quarter turns of C8) and all layers,
 * whatever the basis, forward(act(g, f)) and act(g, forward(f)) are equal to the last bit, provided that (spatial + 2 padding - reach) mod stride = 0 on every axis, where reach = dilation (kernel - 1) + 1; see
 * equiconv_plan_get_stride_remainder.
 *
 * Every call computes in a floating-point environment of its own, on all threads. It rounds to nearest and traps
 * nothing. Layers, gradients and transforms of weights treat subnormal numbers as zeros and produce none; the action
 * and pooling over H keep them. So neither results nor what is kept for later calls depend on a caller's rounding
 * mode or flush-to-zero. Afterwards the caller's environment, status flags included, is as before.
 *
 * NETWORKS
 *
 * A trained network is one file, which equiconv_network_open reads and equiconv_network_run computes: see
 * equiconv/network.h.
 *
 * ERRORS
 *
 * Functions that can fail return an equiconv_status and give results through pointers; a call that fails leaves them
 * untouched. equiconv_last_error_message() then names the argument, its value and what was expected. The message
 * belongs to the thread. Where tasks move between threads, f_with_call gives the status and the message of a call
 * together: see equiconv_call, which also lets a caller end a long call early.
 *
 * If memory is short the status is OUT_OF_MEMORY, nothing is lost, and the same call gives the right numbers once
 * there is memory again. This holds for every allocation of 64 KiB and more, and so for everything that grows with
 * the numbers of a call, except lists that are counted by the elements of a group. The process ends only if a smaller
 * allocation fails, as for a small object.
 *
 * Arguments are checked, and all memory is there, before any array is written: the gradients of a *_vjp call are all
 * written or none. The library cannot check that pointers are valid and that arrays are
 * as large as documented.
 *
 * THREADS
 *
 * Every function may be called from several threads at once. Groups, bases, plans and weights are immutable once
 * created; a lock guards the transforms that plans and weights keep. Large calls share one pool of worker threads,
 * which the first of them starts. Results do not depend on the number of threads, except that the algorithm and tile
 * that auto uses may. No call needs more than 64 KiB of stack.
 *
 * Workers block all signals except those that an instruction raises in the thread that executes it, so signals go to
 * threads of the program. Workers may run on all processors that the process could use when the library was loaded,
 * and at first there are as many threads as these processors. This holds even if the calling thread is bound to one
 * processor, as OpenMP does with OMP_PROC_BIND.
 *
 * A process may fork at any moment, even during another thread's first call, and parent and child both keep working.
 * The fork waits until the calls of other threads have finished a piece of work: some milliseconds if calls are
 * large.
 *
 * A call may be ended early by equiconv_call.is_cancelled, which calls of more than a tenth of a second ask some
 * twenty times a second. The contents of its output arrays are then undefined; everything else is as if the call had
 * not been made.
 *
 * ENVIRONMENT
 *
 * EQUICONV_NUM_THREADS   initial number of threads (default: the processors of the process as the library is loaded)
 * EQUICONV_ISA           the most advanced instruction set to use: baseline | avx2 | avx512 on x86-64, baseline | neon on
 *                        64-bit ARM. Both are read once.
 */
#ifndef EQUICONV_H
#define EQUICONV_H

#include "equiconv/types.h"
#include "equiconv/groups.h"
#include "equiconv/bases.h"
#include "equiconv/layers.h"
#include "equiconv/plans.h"
#include "equiconv/layer_objects.h"
#include "equiconv/texts.h"
#include "equiconv/network.h"
#include "equiconv/signals.h"
#include "equiconv/runtime.h"
#include "equiconv/calls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------- */

#define EQUICONV_VERSION_MAJOR 0
#define EQUICONV_VERSION_MINOR 2
#define EQUICONV_VERSION_PATCH 0
/** The version of this header: major * 10000 + minor * 100 + patch. */
#define EQUICONV_VERSION (EQUICONV_VERSION_MAJOR * 10000 + EQUICONV_VERSION_MINOR * 100 + EQUICONV_VERSION_PATCH)

/** The version of the library that is linked, in the form of EQUICONV_VERSION. */
EQUICONV_API int32_t equiconv_version(void);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_H */

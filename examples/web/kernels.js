// SPDX-License-Identifier: Apache-2.0
"use strict";

/** The kernels of the two layers whose maps are shown. All numbers are integers over powers of two. */
const Kernels = {
  EXTENT: 5,
  CHANNELS: 4,

  /** Of the lifting layer: an edge, a bar beside the center, a corner, and random numbers; [channel][row][column]. */
  lifting() {
    const tables = [
      [-1, -2, 0, 2, 1, -2, -5, 0, 5, 2, -3, -8, 0, 8, 3, -2, -5, 0, 5, 2, -1, -2, 0, 2, 1],
      [0, -2, 0, 4, -2, 0, -3, 0, 6, -3, 0, -4, 0, 8, -4, 0, -3, 0, 6, -3, 0, -2, 0, 4, -2],
      [0, 0, 0, -2, -4, 0, 2, 4, 4, -2, 0, 4, 6, 4, 0, -2, 2, 4, 2, 0, -4, -2, 0, 0, 0],
    ];
    return Float32Array.from([...tables.flat().map((number) => number / 16), ...Kernels.random(1, 25)]);
  },

  /** Of the group layer, from 4 channels to 1; [channel][element][row][column]. */
  group(order) {
    return Kernels.random(2, Kernels.CHANNELS * order * Kernels.EXTENT ** 2);
  },

  /** Numbers between -1 and 1 in steps of 1/128, always the same ones for a seed. */
  random(seed, count) {
    let state = seed;
    return Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (((state >> 16) % 255) - 127) / 128;
    });
  },
};

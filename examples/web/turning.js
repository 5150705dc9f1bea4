// SPDX-License-Identifier: Apache-2.0
"use strict";

/** The groups of the page, and how their elements turn pictures and stacks of maps. */
class Turning {
  static GROUPS = {
    C4: { kind: Engine.CYCLIC, n: 4 },
    C8: { kind: Engine.CYCLIC, n: 8 },
    D4: { kind: Engine.DIHEDRAL, n: 4 },
  };

  constructor(engine, name) {
    this.engine = engine;
    this.name = name;
    this.group = engine.group(Turning.GROUPS[name].kind, Turning.GROUPS[name].n);
  }

  /** Angle in degrees, and whether it exchanges left and right first, of an element. */
  describe(element) {
    const [a, b, c, d] = this.group.matrices.slice(4 * element, 4 * element + 4);
    const isMirror = a * d - b * c < 0;
    const angle = (Math.round((Math.atan2(-b, d) * 180) / Math.PI) + 360) % 360;
    return { angle, isMirror, label: isMirror ? `mirror, ${angle}°` : `${angle}°` };
  }

  /** Whether an element maps the grid of pixels to itself. */
  isExact(element) {
    return this.describe(element).angle % 90 === 0;
  }

  /** The index of g⁻¹h for all h. */
  leftQuotients(element) {
    const { order, cayley } = this.group;
    const inverse = cayley.subarray(element * order, (element + 1) * order).indexOf(0);
    return cayley.slice(inverse * order, (inverse + 1) * order);
  }

  /** (L_g f)(x) = f(g⁻¹x) for a picture: exact, or between pixels by their bilinear interpolation. */
  turnPicture(element, size, picture) {
    if (!this.isExact(element)) return this.#resample(element, size, picture);
    return this.engine.act(this.group, element, Engine.PLANE_SIGNAL, 1, size, picture);
  }

  /** (L_g F)(h, x) = F(g⁻¹h, g⁻¹x) for a stack of maps: they turn, and change places. */
  turnMaps(element, size, maps) {
    const { order } = this.group;
    if (this.isExact(element)) return this.engine.act(this.group, element, Engine.GROUP_SIGNAL, 1, size, maps);
    const sources = this.leftQuotients(element);
    const result = new Float32Array(maps.length);
    for (let h = 0; h < order; h++) {
      const source = maps.subarray(sources[h] * size ** 2, (sources[h] + 1) * size ** 2);
      result.set(this.#resample(element, size, source), h * size ** 2);
    }
    return result;
  }

  #resample(element, size, plane) {
    const [a, b, c, d] = this.group.matrices.slice(4 * element, 4 * element + 4);
    const center = (size - 1) / 2;
    const at = (row, column) =>
      row < 0 || column < 0 || row >= size || column >= size ? 0 : plane[row * size + column];
    return Float32Array.from({ length: size * size }, (_, i) => {
      const [x, y] = [(i % size) - center, center - Math.floor(i / size)];
      // The inverse of an orthogonal matrix is its transpose.
      const column = center + a * x + c * y;
      const row = center - (b * x + d * y);
      const [i0, j0] = [Math.floor(row), Math.floor(column)];
      const [p, q] = [row - i0, column - j0];
      const upper = (1 - q) * at(i0, j0) + q * at(i0, j0 + 1);
      const lower = (1 - q) * at(i0 + 1, j0) + q * at(i0 + 1, j0 + 1);
      return (1 - p) * upper + p * lower;
    });
  }

  /** The maps of one layer, or of two with max(0, ·) between them: one for each element. */
  maps(layers, size, picture) {
    const options = { size, kernel: Kernels.EXTENT };
    const lifted = this.engine.convolve(this.group, Engine.LIFTING, {
      ...options, inChannels: 1, outChannels: Kernels.CHANNELS, input: picture, weight: Kernels.lifting(),
    });
    if (layers === 1) return lifted.slice(0, this.group.order * size ** 2);
    return this.engine.convolve(this.group, Engine.GROUP, {
      ...options,
      inChannels: Kernels.CHANNELS,
      outChannels: 1,
      input: lifted.map((number) => Math.max(0, number)),
      weight: Kernels.group(this.group.order),
    });
  }
}

/** How far two arrays differ: the largest difference, and how many numbers differ in any bit. */
function compare(a, b) {
  const [first, second] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  let [largest, unequal] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    if (first[i] !== second[i]) unequal++;
  }
  return { largest, unequal, count: a.length };
}

/** FNV-1a of 64 bits of the bytes of an array, as the digests of the C tests. */
function digest(array) {
  let state = 0xcbf29ce484222325n;
  for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) {
    state = ((state ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return state.toString(16).padStart(16, "0");
}

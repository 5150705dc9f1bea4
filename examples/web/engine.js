// SPDX-License-Identifier: Apache-2.0
"use strict";

/** The engine, in WebAssembly: arrays in, arrays out. `page.c` is the other side of these calls. */
class Engine {
  static CYCLIC = 0;
  static DIHEDRAL = 1;
  static LIFTING = 1;
  static GROUP = 2;
  static DIRECT = 1;
  static PLANE_SIGNAL = 0;
  static GROUP_SIGNAL = 1;

  /** Makes the engine of the bytes of its module. */
  static async load(bytes) {
    const imports = { page: { seconds: () => performance.now() / 1000 } };
    const { instance } = await WebAssembly.instantiate(bytes, imports);
    return new Engine(instance.exports, bytes.length);
  }

  constructor(exports, bytes) {
    this.exports = exports;
    this.bytes = bytes;
    exports._initialize();
  }

  /** Copies an array into the engine's memory. */
  #give(array) {
    const place = this.#room(array.byteLength);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(this.exports.memory.buffer, place, bytes.length).set(bytes);
    return place;
  }

  #room(bytes) {
    const place = this.exports.page_allocate(bytes);
    if (place === 0) throw new Error(`no memory for ${bytes} bytes`);
    return place;
  }

  /** Runs `call(place)` with room for a result, and returns a copy of the result. */
  #take(Type, count, call) {
    const place = this.#room(count * Type.BYTES_PER_ELEMENT);
    try {
      this.#check(call(place));
      return new Type(this.exports.memory.buffer, place, count).slice();
    } finally {
      this.exports.page_free(place);
    }
  }

  #check(status) {
    if (status !== 0) throw new Error(this.message());
  }

  /** What the last call that failed said. */
  message() {
    const memory = new Uint8Array(this.exports.memory.buffer);
    const begin = this.exports.page_message();
    return new TextDecoder().decode(memory.slice(begin, memory.indexOf(0, begin)));
  }

  /** The version of the library. */
  version() {
    const number = this.exports.page_version();
    return [Math.floor(number / 10000), Math.floor(number / 100) % 100, number % 100].join(".");
  }

  /** A group with its tables: C_n for `CYCLIC`, D_n for `DIHEDRAL`. */
  group(kind, n) {
    const handle = this.exports.page_group(kind, n);
    if (handle === 0) throw new Error(this.message());
    const order = this.exports.page_order(handle);
    return {
      handle,
      order,
      cayley: this.#take(Int32Array, order * order, (place) => this.exports.page_cayley(handle, place)),
      matrices: this.#take(Float64Array, order * 4, (place) => this.exports.page_matrices(handle, place)),
    };
  }

  /** A layer with "same" padding: `LIFTING` makes `order` maps of a picture, `GROUP` combines such maps. */
  convolve(group, layer, { inChannels, outChannels, size, kernel, input, weight, algorithm = Engine.DIRECT }) {
    const places = [this.#give(input), this.#give(weight)];
    try {
      return this.#take(Float32Array, outChannels * group.order * size * size, (output) =>
        this.exports.page_convolve(
          group.handle, layer, algorithm, inChannels, outChannels, size, kernel, ...places, output,
        ),
      );
    } finally {
      places.forEach((place) => this.exports.page_free(place));
    }
  }

  /** Turns or mirrors a signal by an element that maps the grid to itself. */
  act(group, element, signal, channels, size, input) {
    const place = this.#give(input);
    try {
      return this.#take(Float32Array, input.length, (output) =>
        this.exports.page_act(group.handle, element, signal, channels, size, place, output),
      );
    } finally {
      this.exports.page_free(place);
    }
  }

  /** A trained network, of the bytes of its file. */
  network(bytes) {
    const place = this.#give(bytes);
    const handle = this.exports.page_network(place, bytes.length);
    this.exports.page_free(place);
    if (handle === 0) throw new Error(this.message());
    return handle;
  }

  /** The scores that a network gives to a square image. */
  scores(network, size, image, classes) {
    const place = this.#give(image);
    try {
      return this.#take(Float32Array, classes, (output) => this.exports.page_scores(network, size, place, output));
    } finally {
      this.exports.page_free(place);
    }
  }

  /** Runs the test of a network's file: its input, and the output that it had in training. */
  checkNetwork(network) {
    this.#check(this.exports.page_check(network));
  }
}

// SPDX-License-Identifier: Apache-2.0
"use strict";

/** The two trained networks. */
class Classifiers {
  static NAMES = { c4: "C4 group network", cnn: "plain network" };
  static SIZE = 16;
  static CLASSES = 10;

  /** @param files the bytes of their files, by name. */
  constructor(engine, files) {
    this.engine = engine;
    this.networks = Object.fromEntries(
      Object.keys(Classifiers.NAMES).map((name) => [name, engine.network(files[name])]),
    );
  }

  /** Means of blocks of 3 x 3 pixels. Sums of so few shades are exact, so that turning changes no bit. */
  static shrink(picture) {
    const [size, small] = [Picture.SIZE, Classifiers.SIZE];
    const step = size / small;
    const sums = new Float64Array(small * small);
    picture.forEach((shade, i) => {
      sums[Math.floor(i / size / step) * small + Math.floor((i % size) / step)] += shade;
    });
    return Float32Array.from(sums, (sum) => sum / step ** 2);
  }

  /** The ten scores of a picture. */
  scores(name, picture) {
    const image = Classifiers.shrink(picture);
    return this.engine.scores(this.networks[name], Classifiers.SIZE, image, Classifiers.CLASSES);
  }

  /** The digit with the largest score. */
  static digit(scores) {
    return scores.indexOf(Math.max(...scores));
  }

  /** Scores as shares of 1. */
  static shares(scores) {
    const largest = Math.max(...scores);
    const powers = Array.from(scores, (score) => Math.exp(score - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }
}

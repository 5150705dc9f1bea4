// SPDX-License-Identifier: Apache-2.0
"use strict";

/** The picture: 48 x 48 shades from 0 to 255, drawn with a finger, a mouse or keys, or taken from a photograph. */
class Picture {
  static SIZE = 48;
  static PEN = 2.6;

  /** Shows and edits the picture on a canvas; `changed` is called whenever it is another. */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.shades = new Uint8Array(Picture.SIZE ** 2);
    this.pen = { x: 24, y: 24, isDown: false, isShown: false };
    this.#listenToPointers();
    this.#listenToKeys();
  }

  /** Replaces the picture. */
  set(shades) {
    this.shades = Uint8Array.from(shades);
    this.#show();
    this.changed();
  }

  clear() {
    this.set(new Uint8Array(Picture.SIZE ** 2));
  }

  /** The middle of a photograph, in shades of gray. */
  async setPhotograph(file) {
    const image = await createImageBitmap(file);
    const side = Math.min(image.width, image.height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Picture.SIZE;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
    context.drawImage(image, left, top, side, side, 0, 0, Picture.SIZE, Picture.SIZE);
    const { data } = context.getImageData(0, 0, Picture.SIZE, Picture.SIZE);
    this.set(this.shades.map((_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]));
  }

  /** As the engine reads it: from 0 to 1. */
  signal() {
    return Float32Array.from(this.shades, (shade) => shade / 255);
  }

  #show() {
    drawMap(this.canvas, this.signal(), Picture.SIZE, grayOf);
    if (!this.pen.isShown) return;
    const context = this.canvas.getContext("2d");
    context.fillStyle = this.pen.isDown ? "#ff9a3c" : "#5ab4ff";
    context.fillRect(Math.floor(this.pen.x) - 1, Math.floor(this.pen.y) - 1, 3, 3);
  }

  /** Ink along a line: full within the pen, and less at its rim. */
  #stroke(from, to) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
    for (let step = 0; step <= steps; step++) {
      const share = step / steps;
      this.#dot(from.x + share * (to.x - from.x), from.y + share * (to.y - from.y));
    }
    this.#show();
    this.changed();
  }

  #dot(x, y) {
    const reach = Math.ceil(Picture.PEN) + 1;
    for (let row = Math.floor(y) - reach; row <= y + reach; row++) {
      for (let column = Math.floor(x) - reach; column <= x + reach; column++) {
        if (Math.min(row, column) < 0 || Math.max(row, column) >= Picture.SIZE) continue;
        const ink = Math.min(1, Math.max(0, Picture.PEN + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
        const place = row * Picture.SIZE + column;
        this.shades[place] = Math.max(this.shades[place], Math.round(255 * ink));
      }
    }
  }

  #listenToPointers() {
    let last = null;
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const scale = Picture.SIZE / box.width;
      return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      last = place(event);
      this.#stroke(last, last);
      event.preventDefault();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const now = place(event);
      this.#stroke(last, now);
      last = now;
    });
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (last = null));
  }

  #listenToKeys() {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.canvas.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (!move && event.key !== " ") return;
      event.preventDefault();
      this.pen.isShown = true;
      const before = { ...this.pen };
      if (event.key === " ") this.pen.isDown = !this.pen.isDown;
      const inside = (number) => Math.min(Picture.SIZE - 0.5, Math.max(0.5, number));
      if (move) [this.pen.x, this.pen.y] = [inside(this.pen.x + move[0]), inside(this.pen.y + move[1])];
      if (this.pen.isDown) this.#stroke(before, this.pen);
      this.#show();
    });
    this.canvas.addEventListener("blur", () => {
      this.pen.isShown = this.pen.isDown = false;
      this.#show();
    });
  }
}

/** A shade of gray for a number from 0 to 1. */
function grayOf(number) {
  const shade = Math.round(255 * Math.min(1, Math.max(0, number)));
  return [shade, shade, shade];
}

/** From blue over black to orange, for a number from -1 to 1. */
function signOf(number) {
  const strength = Math.sqrt(Math.min(1, Math.abs(number)));
  const color = number < 0 ? [70, 160, 255] : [255, 170, 60];
  return color.map((part) => Math.round(part * strength));
}

/** Draws a square map, one pixel for a number. */
function drawMap(canvas, numbers, size, colorOf) {
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  numbers.forEach((number, i) => image.data.set([...colorOf(number), 255], 4 * i));
  context.putImageData(image, 0, 0);
}

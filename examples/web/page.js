// SPDX-License-Identifier: Apache-2.0
"use strict";

const LAYERS = { 1: "one layer (lifting)", 2: "two layers (lifting, group)" };
const byId = (id) => document.getElementById(id);

/** Makes an element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Connects the engine and the document: whatever changes, all is computed anew and shown. */
class Page {
  constructor(engine, files, digits) {
    this.engine = engine;
    this.digits = digits;
    this.turnings = Object.fromEntries(Object.keys(Turning.GROUPS).map((name) => [name, new Turning(engine, name)]));
    this.classifiers = new Classifiers(engine, files);
    this.choice = { group: "C4", element: 1, layers: 1 };
    this.picture = new Picture(byId("picture"), () => this.#later());
    this.#offerPictures();
    this.#offer("groups", Object.keys(Turning.GROUPS).map((name) => [name, name]), "C4", (name) => {
      this.choice.group = name;
      this.choice.element = 1;
      this.#offerElements();
    });
    this.#offer("layers", Object.entries(LAYERS), "1", (count) => (this.choice.layers = Number(count)));
    this.#offerElements();
    this.picture.set(this.sample(3));
    this.show();
  }

  get turning() {
    return this.turnings[this.choice.group];
  }

  /** A handwritten digit, as shades. */
  sample(digit) {
    return this.digits.subarray(digit * Picture.SIZE ** 2, (digit + 1) * Picture.SIZE ** 2);
  }

  #later() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => this.show());
  }

  // ---- Controls ----

  #offerPictures() {
    for (let digit = 0; digit < Classifiers.CLASSES; digit++) {
      const button = make("button", { type: "button", textContent: digit });
      button.addEventListener("click", () => this.picture.set(this.sample(digit)));
      byId("samples").append(button);
    }
    byId("clear").addEventListener("click", () => this.picture.clear());
    byId("photograph").addEventListener("change", async ({ target }) => {
      const [file] = target.files;
      target.value = "";
      if (!file) return;
      try {
        await this.picture.setPhotograph(file);
        showProblem("");
      } catch {
        showProblem(`${file.name} is not a picture that this browser reads.`);
      }
    });
  }

  /** Radio buttons, of which arrow keys choose one. */
  #offer(id, choices, first, chosen) {
    byId(id).replaceChildren(
      ...choices.map(([value, text]) => {
        const input = make("input", { type: "radio", name: id, value, checked: value === first });
        input.addEventListener("change", () => {
          chosen(value);
          this.show();
          if (id === "elements") this.#animate();
        });
        return make("label", {}, input, make("span", { textContent: text }));
      }),
    );
  }

  #offerElements() {
    const choices = Array.from({ length: this.turning.group.order }, (_, element) => [
      String(element),
      this.turning.describe(element).label,
    ]);
    this.#offer("elements", choices, String(this.choice.element), (element) => {
      this.choice.element = Number(element);
    });
  }

  // ---- Results ----

  /** Computes and shows everything for the current picture and choices. */
  show() {
    this.isWaiting = false;
    const { element, layers } = this.choice;
    const { turning } = this;
    const size = Picture.SIZE;
    const picture = this.picture.signal();
    const turned = turning.turnPicture(element, size, picture);
    const begin = performance.now();
    const before = turning.maps(layers, size, picture);
    const milliseconds = performance.now() - begin;
    const first = turning.maps(layers, size, turned);
    const second = turning.turnMaps(element, size, before);
    drawMap(byId("turned"), turned, size, grayOf);
    byId("turned-name").textContent = turning.describe(element).label;
    this.#showMaps(before, first, second);
    this.#showVerdict(compare(first, second));
    this.#showScores(turned, picture);
    byId("engine").textContent =
      `Equiconv ${this.engine.version()}, ${Math.round(this.engine.bytes / 1024)} KiB of WebAssembly. ` +
      `The maps of this picture took ${milliseconds.toFixed(1)} ms, by the direct algorithm.`;
  }

  #showMaps(before, first, second) {
    const scale = before.reduce((largest, number) => Math.max(largest, Math.abs(number)), 1e-9);
    const names = Array.from({ length: this.turning.group.order }, (_, h) => this.turning.describe(h).label);
    const sources = this.turning.leftQuotients(this.choice.element);
    const rows = { "maps-before": before, "maps-first": first, "maps-second": second };
    for (const [id, maps] of Object.entries(rows)) {
      const figures = names.map((name, h) => {
        const canvas = make("canvas");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `Map of the element ${name}`);
        const numbers = maps.subarray(h * Picture.SIZE ** 2, (h + 1) * Picture.SIZE ** 2);
        drawMap(canvas, numbers, Picture.SIZE, (number) => signOf(number / scale));
        const caption = id === "maps-second" ? `from ${names[sources[h]]}` : "";
        return make("figure", {}, make("span", { textContent: name }), canvas, make("figcaption", {}, caption));
      });
      byId(id).replaceChildren(...figures);
    }
  }

  #showVerdict({ largest, unequal, count }) {
    const isExact = this.turning.isExact(this.choice.element);
    const numbers = count.toLocaleString("en");
    byId("verdict").classList.toggle("inexact", unequal > 0);
    byId("verdict").textContent =
      unequal === 0
        ? `Difference: 0. All ${numbers} numbers are equal to the last bit.`
        : `Largest difference: ${largest.toPrecision(3)}; ` +
          `${unequal.toLocaleString("en")} of ${numbers} numbers differ.` +
          (isExact ? "" : " A turn by 45° puts pixels between pixels: only multiples of 90° are exact.");
  }

  #showScores(turned, picture) {
    const cards = Object.entries(Classifiers.NAMES).map(([name, title]) => {
      const scores = this.classifiers.scores(name, turned);
      const [shares, best] = [Classifiers.shares(scores), Classifiers.digit(scores)];
      const bars = make("dl", { className: "bars" });
      shares.forEach((share, digit) => {
        const percent = `${(100 * share).toFixed(1)} %`;
        const isFirst = digit === best ? " first" : "";
        const bar = make("i");
        bar.style.width = `${100 * share}%`;
        bars.append(
          make("dt", { className: isFirst, textContent: digit }),
          make("dd", { className: "bar", ariaHidden: "true" }, bar),
          make("dd", { className: `share${isFirst}`, textContent: percent }),
        );
      });
      return make("div", {}, make("h3", { textContent: `${title}: it is a ${best}` }), bars);
    });
    byId("scores").replaceChildren(...cards);
    this.#showTurns(picture);
  }

  /** The scores of both networks at the quarter turns of a picture; [name][turn]. */
  quarterTurns(picture) {
    const turned = [0, 1, 2, 3].map((turn) => this.turnings.C4.turnPicture(turn, Picture.SIZE, picture));
    return Object.fromEntries(
      Object.keys(Classifiers.NAMES).map((name) => [name, turned.map((one) => this.classifiers.scores(name, one))]),
    );
  }

  #showTurns(picture) {
    const turns = this.quarterTurns(picture);
    const changes = {};
    const rows = Object.entries(turns).map(([name, scores]) => {
      const differences = scores.map((one) => compare(scores[0], one));
      changes[name] = Math.max(...differences.map(({ largest }) => largest));
      const isEqual = differences.every(({ unequal }) => unequal === 0);
      return make(
        "tr", {},
        make("th", { scope: "row", textContent: Classifiers.NAMES[name] }),
        ...scores.map((one) => make("td", { textContent: Classifiers.digit(one) })),
        make("td", { textContent: isEqual ? "0, equal to the last bit" : changes[name].toPrecision(3) }),
      );
    });
    byId("turns").replaceChildren(...rows);
    byId("turns-verdict").textContent =
      `Quarter turns change the scores of the C4 network by ${changes.c4 === 0 ? "0" : changes.c4.toPrecision(3)}, ` +
      `those of the plain network by up to ${changes.cnn.toPrecision(3)}.`;
  }

  /** Lets the picture and its maps turn from where they were, unless motion is unwelcome. */
  #animate() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const { angle, isMirror } = this.turning.describe(this.choice.element);
    const from = `${isMirror ? "scaleX(-1) " : ""}rotate(${angle > 180 ? angle - 360 : angle}deg)`;
    for (const canvas of document.querySelectorAll("#turned, #maps-first canvas, #maps-second canvas")) {
      canvas.animate([{ transform: from }, { transform: "none" }], { duration: 500, easing: "ease-in-out" });
    }
  }
}

function showProblem(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Resolves to the page once it shows its first result. */
const pageLoaded = (async () => {
  try {
    const engine = await Engine.load(await unpacked(EQUICONV_DATA.engine));
    const files = { c4: bytesOf(EQUICONV_DATA.c4), cnn: bytesOf(EQUICONV_DATA.cnn) };
    const page = new Page(engine, files, bytesOf(EQUICONV_DATA.digits));
    byId("page").setAttribute("aria-busy", "false");
    return page;
  } catch (error) {
    showProblem(`The engine did not start: ${error.message}. It needs a browser with WebAssembly SIMD.`);
    throw error;
  }
})();

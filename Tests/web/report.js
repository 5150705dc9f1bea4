// SPDX-License-Identifier: Apache-2.0
"use strict";

/** Runs in the page: works through its controls, and lists what it showed and computed. */
const Report = {
  /** Chooses a radio button as a click does. */
  choose(name, value) {
    document.querySelector(`input[name="${name}"][value="${value}"]`).click();
  },

  text: (id) => byId(id).textContent.trim(),

  /** For every digit: the digest of its shades, and of the scores at its quarter turns. */
  digits(page) {
    return Array.from({ length: Classifiers.CLASSES }, (_, digit) => {
      page.picture.set(page.sample(digit));
      page.show();
      const turns = page.quarterTurns(page.picture.signal());
      const digests = Object.entries(turns).map(([name, scores]) => [name, scores.map(digest)]);
      const classes = Object.entries(turns).map(([name, scores]) => [name, scores.map(Classifiers.digit)]);
      return {
        digit,
        picture: digest(page.picture.signal()),
        scores: Object.fromEntries(digests),
        classes: Object.fromEntries(classes),
        verdict: Report.text("turns-verdict"),
      };
    });
  },

  /** For every group, number of layers and element: digests of the maps, and what the page says. */
  maps(page) {
    const found = [];
    for (const group of Object.keys(Turning.GROUPS)) {
      Report.choose("groups", group);
      for (const layers of Object.keys(LAYERS)) {
        Report.choose("layers", layers);
        for (let element = 0; element < page.turning.group.order; element++) {
          Report.choose("elements", element);
          found.push({ group, layers: Number(layers), element, ...Report.mapsNow(page) });
        }
      }
    }
    return found;
  },

  mapsNow({ turning, picture, choice: { element, layers } }) {
    const signal = picture.signal();
    const turned = turning.turnPicture(element, Picture.SIZE, signal);
    const before = turning.maps(layers, Picture.SIZE, signal);
    return {
      name: turning.describe(element).label,
      turned: digest(turned),
      before: digest(before),
      first: digest(turning.maps(layers, Picture.SIZE, turned)),
      second: digest(turning.turnMaps(element, Picture.SIZE, before)),
      verdict: Report.text("verdict"),
      shown: document.querySelectorAll("#maps-first canvas").length,
    };
  },

  run(page) {
    for (const network of Object.values(page.classifiers.networks)) page.engine.checkNetwork(network);
    const report = { digits: Report.digits(page) };
    page.picture.set(page.sample(3));
    report.maps = Report.maps(page);
    return report;
  },
};

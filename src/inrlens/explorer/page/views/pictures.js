// The pictures of pane 0 side by side under one lens: what was fitted, what the network makes of it, what an atom does.

import { h, put } from "inrlens/dom.js";
import { perFrame } from "inrlens/draw/frame.js";
import { letGo, listen, STEP, zoomBy } from "inrlens/draw/gestures.js";
import { placeOf, pointAt, shownAt, transform } from "inrlens/draw/lens.js";
import { distance, show } from "inrlens/draw/raster.js";
import { denseImage, difference, mapImage, valuesImage } from "inrlens/draw/seen.js";
import { windowOf } from "inrlens/draw/sound.js";
import { capital, fixed, short } from "inrlens/model/numbers.js";
import { lost } from "inrlens/views/atom.js";

/**
 * What a tile shows. `needs` are the loaded things that it is painted from: null among them leaves the frame empty,
 * and it is painted anew when one is another than before.
 * @typedef {{name: string, shown: (now: Object) => boolean, title: (now: Object) => string,
 *   needs: (now: Object) => Array, paint: (now: Object) => {image: ImageData, words: string}}} Tile
 */

/** @type {Tile[]} */
const TILES = [
  {
    name: "original",
    shown: () => true,
    title: () => "Original",
    needs: ({ target }) => [target],
    paint: (now) => ({ image: picture(now.target, now), words: "" }),
  },
  {
    name: "reconstruction",
    shown: () => true,
    title: () => "Reconstruction",
    needs: ({ output }) => [output],
    paint: (now) => ({ image: picture(now.output, now), words: decibels(now.signal.psnr) }),
  },
  {
    name: "difference",
    shown: () => true,
    title: () => "Difference",
    needs: ({ target, output }) => [target, output],
    paint: (now) => apart(now.target, now.output, now),
  },
  {
    name: "map",
    shown: ({ atom }) => atom !== null,
    title: ({ atom }) => `Atom ${atom}`,
    needs: ({ atoms, atom, output }) => [atoms, atom, output],
    paint: ({ atoms, atom, cut, output, channels }) => {
      const { rows, codes } = atoms.entries(atom);
      const image = mapImage(rows, codes, atoms.top(atom), cut, { values: output, channels });
      return { image, words: rows.length ? `code up to ${short(atoms.top(atom))}` : "fires nowhere" };
    },
  },
  {
    name: "without",
    shown: ({ atom, measured }) => atom !== null && measured,
    title: ({ atom }) => `Without atom ${atom}`,
    needs: ({ effects, output, atom }) => [effects, output, atom],
    paint: (now) => ({ image: picture(now.effects.without(now.atom, now.output), now), words: cost(now) }),
  },
  {
    name: "effect",
    shown: ({ atom, measured }) => atom !== null && measured,
    title: ({ atom }) => `Effect of atom ${atom}`,
    needs: ({ effects, output, atom }) => [effects, output, atom],
    paint: ({ effects, atom, cut, output, channels }) => {
      const { rows, sizes, top } = effects.sizes(atom);
      const heard = cut.sound ? difference(output, effects.without(atom, output), cut, channels) : null;
      return { image: mapImage(rows, sizes, top, cut, heard), words: `up to ${short(top)}` };
    },
  },
  {
    name: "edited",
    shown: ({ editing }) => editing,
    title: () => "Edited",
    needs: ({ edited }) => [edited],
    paint: (now) => ({ image: picture(now.edited.output, now), words: progress(now.edited) }),
  },
  {
    name: "change",
    shown: ({ editing }) => editing,
    title: () => "Change by the edit",
    needs: ({ edited, output }) => [edited, output],
    paint: (now) => apart(now.edited.output, now.output, now),
  },
];
const HELP =
  "Arrows point at a pixel, with Shift ten at a time; Enter keeps it; plus, minus and 0 zoom; Escape lets go.";

/** Builds the pictures. */
export function mount(host, app) {
  const cut = () => app.scene().cut;
  const level = h("output", { class: "level small muted", "aria-label": "Zoom" });
  const zoom = (label, text, factor) =>
    h("button", { type: "button", "aria-label": label, onclick: () => zoomBy(app, factor, cut()) }, text);
  const [less, more, whole] = [
    zoom("Zoom out", "\u2212", 1 / STEP),
    zoom("Zoom in", "+", STEP),
    zoom("Reset: show all of it", "Reset", 0),
  ];
  const heard = h("p", { class: "muted small", hidden: true });
  const help = h("p", { class: "unseen", id: "lens-help" });
  const spoken = h("p", { class: "unseen", role: "status" });
  const said = (row) => {
    const seen = cut();
    spoken.textContent = `${capital(seen.unit)} ${seen.words(row)}`;
  };
  const tiles = TILES.map((about) => build(about));
  for (const tile of tiles) {
    listen(tile.frame, app, { cut, said });
    tile.frame.addEventListener("focus", () => stop(tile));
  }
  // All tiles share lens and pixel, so one of them is enough to stop at on the way with Tab.
  const stop = (chosen) => tiles.forEach((tile) => (tile.frame.tabIndex = tile === chosen ? 0 : -1));
  stop(tiles[0]);
  put(
    host,
    h("header", {}, h("h2", {}, "Pictures"), h("div", { class: "lens" }, level, less, more, whole)),
    heard,
    help,
    h(
      "div",
      { class: "tiles" },
      tiles.map((tile) => tile.figure),
    ),
    spoken,
  );

  const paint = () => {
    if (app.state.view !== "atoms") return;
    const now = whatIs(app);
    if (app.hover >= now.cut.points) pointAt(app, null);
    for (const tile of tiles) repaint(tile, now);
    help.textContent = now.cut.named(HELP);
    heard.hidden = !now.cut.sound;
    if (now.cut.sound) heard.textContent = hearing(now);
    if (tiles.find((tile) => tile.frame.tabIndex === 0).figure.hidden) stop(tiles[0]);
    aim();
  };
  const aim = () => {
    if (app.state.view !== "atoms") return;
    const { lens, row } = app.state;
    const seen = cut();
    for (const tile of tiles) if (!tile.figure.hidden) point(tile, lens, app.hover ?? null, row, seen);
    host.classList.toggle("zoomed", lens.zoom > 1);
    level.textContent = `${Number(lens.zoom.toFixed(lens.zoom < 10 ? 1 : 0))}\u202f×`;
    less.disabled = whole.disabled = lens.zoom <= 1;
    more.disabled = lens.zoom >= 64;
  };
  const [paintSoon, aimSoon] = [perFrame(paint), perFrame(aim)];
  const painted = ["view", "pane", "atom", "gains", "loaded", "edited", "fault", "slice"];
  app.on((changed) => {
    if (painted.some((name) => changed.has(name))) paintSoon();
    else if (changed.has("lens") || changed.has("row") || changed.has("hover")) aimSoon();
  });
  host.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && letGo(app)) event.stopPropagation();
  });
  paint();
}

/**
 * What the tiles show now, to be kept.
 * @returns {import("inrlens/draw/compose.js").Tile[]}
 */
export function shownTiles(app) {
  const now = whatIs(app);
  return TILES.filter((tile) => tile.shown(now) && tile.needs(now).every((one) => one !== null)).map((tile) => {
    const { image, words } = tile.paint(now);
    return { image, title: tile.title(now), detail: words };
  });
}

/** Everything that the tiles depend on. */
function whatIs(app) {
  const scene = app.scene();
  const { channels } = scene.network;
  const edited = app.edited();
  return {
    ...scene,
    channels,
    measured: Boolean(scene.dictionary?.effects.some((one) => one.head === scene.signal.head)),
    editing: Object.keys(app.state.panes[0].gains).length > 0,
    edited: edited?.output.length === scene.cut.points * channels ? edited : null,
    halted: app.halted[0],
  };
}

function build(about) {
  const canvas = h("canvas");
  const marks = ["kept", "down", "across", "at"].map((name) => h("i", { class: `mark ${name}`, hidden: true }));
  const [title, words] = [h("b"), h("span")];
  const frame = h(
    "div",
    { class: "frame", tabindex: -1, role: "application", "aria-describedby": "lens-help" },
    canvas,
    marks,
  );
  const figure = h("figure", { class: "tile", "data-tile": about.name }, frame, h("figcaption", {}, title, " ", words));
  return { about, figure, frame, canvas, marks, title, words, key: null };
}

function repaint(tile, now) {
  const { about, figure, frame, canvas } = tile;
  figure.hidden = !about.shown(now);
  if (figure.hidden) return;
  const [height, width] = now.cut.frame;
  const title = about.title(now);
  const key = [now.network, now.cut, now.signal, now.failed, now.halted, ...about.needs(now)];
  if (tile.key?.length === key.length && key.every((one, i) => one === tile.key[i])) return;
  tile.key = key;
  frame.style.aspectRatio = `${width} / ${height}`;
  frame.setAttribute("aria-label", `${title}, ${said(now.cut)}`);
  tile.title.textContent = title;
  const ready = key.every((one) => one !== null);
  canvas.hidden = !ready;
  const { image, words } = ready ? about.paint(now) : { image: null, words: waiting(about, now) };
  tile.words.textContent = words;
  if (image) show(canvas, image);
}

/** Puts a tile under the lens, with its marks on the pixels that are kept and pointed at. */
function point({ canvas, marks, frame }, lens, hover, row, cut) {
  canvas.style.transform = transform(lens);
  const side = [(100 * lens.zoom) / cut.shape[1], (100 * lens.zoom) / cut.shape[0]];
  const [kept, down, across, at] = marks;
  square(kept, row === hover ? null : row, lens, side, cut);
  const place = square(at, hover, lens, side, cut);
  down.hidden = across.hidden = place === null;
  if (place) [down.style.left, across.style.top] = place;
  frame.classList.toggle("steady", hover !== null && hover === row);
}

function square(mark, row, lens, side, cut) {
  const pixel = row === null ? null : cut.pixel(row);
  const at = pixel === null ? null : shownAt(lens, placeOf(pixel, cut.shape));
  mark.hidden = at === null || at.some((share) => share < 0 || share > 1);
  if (mark.hidden) return null;
  const place = [`${100 * at[0]}%`, `${100 * at[1]}%`];
  [mark.style.left, mark.style.top] = place;
  [mark.style.width, mark.style.height] = [`${side[0]}%`, `${side[1]}%`];
  return place;
}

/** How a sound is drawn. */
function hearing({ cut, signal }) {
  const size = windowOf(cut.points);
  const high = signal.rate ? `${short(signal.rate / 2000)}\u202fkHz` : "half a cycle a sample";
  return (
    `Across: time. Above: the wave, or what is measured along it. Below: a spectrogram from 0 to ${high}, ` +
    `−80\u202fdB (black) to 0\u202fdB, a sine of full scale; Hann window of ${size} samples, every ${size / 4}.`
  );
}

/** How large a frame is, in words. */
function said(cut) {
  if (cut.sound) return cut.size;
  return `${cut.shape[1]} by ${cut.shape[0]} ${cut.unit}s`;
}

/** Why a tile is empty: two wait for an edit, the others for the bundle. */
function waiting({ name }, now) {
  const computed = name === "edited" || name === "change";
  if (computed ? now.halted : now.failed) return computed ? "could not be computed" : "could not be loaded";
  return computed ? "computing" : "loading";
}

const picture = (values, { cut, channels }) => valuesImage(values, cut, channels);

function apart(first, second, { cut, channels }) {
  const { values, top } = distance(first, second, channels);
  return {
    image: denseImage(values, top, cut, difference(first, second, cut, channels)),
    words: `up to ${short(top)}`,
  };
}

const decibels = (value) => `${fixed(value, 2)}\u202fdB`;

function cost({ effects, atom, signal }) {
  const drop = effects.numbers.psnr_drop[atom];
  if (!Number.isFinite(drop)) return "nothing changes";
  return `${fixed(signal.psnr, 2)} → ${decibels(signal.psnr - drop)}, ${lost(drop)}`;
}

function progress({ psnr, done, total, coarse }) {
  const parts = [decibels(psnr)];
  if (coarse) parts.push("coarse");
  if (done < total) parts.push(`${Math.floor((100 * done) / total)}\u202f% done`);
  return parts.join(", ");
}

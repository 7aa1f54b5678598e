// The atoms that make one pixel of pane 0: the one that is pointed at, or else the one that is kept.

import { h, put } from "inrlens/dom.js";
import { perFrame } from "inrlens/draw/frame.js";
import { letGo } from "inrlens/draw/gestures.js";
import { show } from "inrlens/draw/raster.js";
import { smallImage } from "inrlens/draw/seen.js";
import { capital, fixed, short } from "inrlens/model/numbers.js";

/** Pixels of a thumbnail's longer side. */
const SIDE = 44;
/** Thumbnails that are kept. */
const KEPT = 2000;
const HINT = "Hover or touch a pixel to see the atoms that make it.";
const BARE = "Hover or touch a pixel to see its values; without a dictionary there are no atoms to show.";

/** Builds the list of a pixel's atoms. */
export function mount(host, app) {
  const title = h("h2", { id: "pixel-title" }, "Atoms of a pixel");
  const kept = h("button", { type: "button", class: "quiet kept", hidden: true, onclick: () => letGo(app) });
  const orders = ["code", "effect"].map((rowBy) =>
    h("button", { type: "button", "data-by": rowBy, onclick: () => app.set({ rowBy }) }, rowBy),
  );
  const order = h("div", { class: "order", role: "group", "aria-label": "Order by" }, orders);
  const swatches = [swatch("original"), swatch("reconstruction")];
  const colours = h("div", { class: "colours" }, swatches[0].line, kept, swatches[1].line);
  const hint = h("p", { class: "muted" }, HINT);
  const names = ["code", "effect here", "dB lost"].map((name) => h("span", {}, name));
  const columns = h("div", { class: "columns small muted", "aria-hidden": true }, h("span"), h("span"), names);
  const list = h("ul", { class: "atoms", "aria-labelledby": "pixel-title" });
  const items = [];
  const images = new Map();
  put(host, h("header", {}, title, order), colours, hint, columns, list);

  const draw = () => {
    if (app.state.view !== "atoms") return;
    const scene = app.scene();
    const { rowBy, row: held } = app.state;
    const row = app.hover ?? held;
    const found = row === null || !scene.atoms ? [] : atomsAt(scene, row, rowBy);
    host.classList.toggle("bare", !scene.dictionary);
    if (found.length) host.classList.add("used");
    head(scene, row, held, found.length);
    for (const button of orders) {
      button.setAttribute("aria-pressed", String(button.dataset.by === rowBy));
      button.disabled = button.dataset.by === "effect" && !scene.effects;
    }
    while (items.length < found.length) {
      const item = build((atom) => app.pick(atom));
      items.push(item);
      list.append(item.line);
    }
    items.forEach((item, i) => fill(item, found[i] ?? null, scene, images));
  };

  const head = ({ network, cut, dictionary, atoms, target, output }, row, held, number) => {
    const place = (at) => `(${cut.words(at)})`;
    const what = dictionary ? `Atoms of ${cut.unit}` : capital(cut.unit);
    write(title, row === null ? `Atoms of a ${cut.unit}` : `${what} ${place(row)}`);
    kept.hidden = held === null;
    if (held !== null) {
      write(kept, row === held ? "kept" : `kept ${place(held)}`);
      kept.setAttribute("aria-label", `Let go of the kept ${cut.unit} ${place(held)}`);
      kept.title = "Let go of it";
    }
    order.hidden = !dictionary;
    colours.hidden = row === null;
    columns.hidden = !number;
    hint.hidden = row !== null && (number > 0 || !atoms);
    if (!hint.hidden)
      write(hint, row !== null ? "No atom fires here." : cut.named(dictionary ? HINT : BARE));
    if (row === null) return;
    [target, output].forEach((values, i) => paint(swatches[i], values, row, network.channels));
  };

  const soon = perFrame(draw);
  const drawn = ["view", "pane", "loaded", "hover", "row", "rowBy", "slice"];
  app.on((changed) => {
    if (drawn.some((name) => changed.has(name))) soon();
    else if (changed.has("atom")) for (const item of items) mark(item, app.state.panes[0].atom);
  });
  host.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && letGo(app)) event.stopPropagation();
  });
  draw();
}

/** The atoms of a row with their effect there (NaN where it is not known), largest code or effect first. */
function atomsAt({ atoms, effects }, row, by) {
  const found = atoms.at(row).map((one) => ({ ...one, effect: effects ? effects.size(one.entry) : NaN }));
  return by === "effect" && effects ? found.sort((a, b) => b.effect - a.effect || a.atom - b.atom) : found;
}

function build(pick) {
  const canvas = h("canvas", { "aria-hidden": true });
  const [name, code, effect, drop] = ["name", "code", "effect", "drop"].map((kind) => h("span", { class: kind }));
  const item = { canvas, name, code, effect, drop, key: "", found: null };
  item.button = h("button", { type: "button", onclick: () => pick(item.found.atom) }, canvas, name, code, effect, drop);
  item.line = h("li", {}, item.button);
  return item;
}

/** Shows an atom, or nothing, in a line of the list that is there already. */
function fill(item, found, scene, images) {
  item.found = found;
  item.line.hidden = !found;
  if (!found) return;
  const { atom, code, effect } = found;
  const { cut, dictionary, atoms, effects } = scene;
  const drop = effects ? effects.numbers.psnr_drop[atom] : NaN;
  const words = [`atom ${atom}`, short(code), short(effect), short(drop)];
  [item.name, item.code, item.effect, item.drop].forEach((cell, i) => write(cell, words[i]));
  const said = `${words[0]}, code ${words[1]}, effect here ${words[2]}, ${words[3]} dB lost without it`;
  if (item.button.ariaLabel !== said) item.button.setAttribute("aria-label", said);
  const key = `${dictionary.id} ${atom} ${cut.axis} ${cut.index}`;
  if (item.key !== key) show(item.canvas, imageOf(images, key, atoms, atom, cut));
  item.key = key;
  mark(item, scene.atom);
}

function mark({ button, found }, picked) {
  if (found && found.atom === picked) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
}

/** A thumbnail, kept until many others have been asked for. */
function imageOf(images, key, atoms, atom, cut) {
  let image = images.get(key);
  images.delete(key);
  if (!image) {
    const { rows, codes } = atoms.entries(atom);
    image = smallImage(rows, codes, cut, SIDE);
    if (images.size >= KEPT) images.delete(images.keys().next().value);
  }
  images.set(key, image);
  return image;
}

function swatch(name) {
  const [patch, values] = [h("i", { class: "patch" }), h("span", { class: "values" })];
  return { patch, values, line: h("p", { class: "small" }, patch, h("span", { class: "muted" }, name), " ", values) };
}

/** Shows a row's colour, and its values as they are, which may lie outside [0, 1]. */
function paint({ patch, values, line }, picture, row, channels) {
  line.hidden = !picture;
  if (!picture) return;
  const found = Array.from(picture.subarray(row * channels, (row + 1) * channels));
  const leftOut = found.some(Number.isNaN);
  patch.hidden = leftOut;
  if (leftOut) return write(values, "left out");
  const [red, green, blue] =
    channels === 3 ? found : Array(3).fill(found.reduce((sum, one) => sum + one, 0) / channels);
  patch.style.background = `rgb(${[red, green, blue].map((value) => Math.round(255 * value)).join(" ")})`;
  write(values, found.map((value) => fixed(value, 3)).join(" "));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// The maps of all atoms, in order: a grid that scrolls over thousands of them.

import { h, put, set } from "inrlens/dom.js";
import { show } from "inrlens/draw/raster.js";
import { Thumbnails } from "inrlens/draw/thumbnails.js";
import { Tiles } from "inrlens/draw/tiles.js";
import { complete, living } from "inrlens/model/known.js";
import { count, number, valuesOf } from "inrlens/model/numbers.js";

/** CSS pixels of a map's longer side. */
const SIZES = [
  [48, "small"],
  [64, "medium"],
  [96, "large"],
];
/** CSS pixels of a cell around its map, and of the two lines below it. */
const ROOM = 12;
const LINES = 38;
/** The least width of a cell: "−9.16e−4 dB" must fit. */
const NARROWEST = 78;
/** Milliseconds after the reader has scrolled in which the grid does not move by itself. */
const PATIENCE = 400;
/** Milliseconds after a pick before the grid moves: the pictures come first. */
const AFTER = 120;

/** Builds the grid of maps into `host`. @param {HTMLElement} host @param {import("inrlens/model/app.js").App} app */
export function mount(host, app) {
  const grid = new MapGrid(app);
  put(host, grid.header, grid.sentence, grid.box);
  app.on((changed) => {
    if (app.state.view !== "atoms") return;
    const all = ["loaded", "pane", "view", "by", "descending", "filters", "fault", "slice"];
    if (all.some((name) => changed.has(name))) grid.update();
    if (changed.has("atom") || changed.has("pane")) grid.markPicked();
  });
}

class MapGrid {
  constructor(app) {
    this.app = app;
    this.order = new Uint32Array();
    this.atoms = null;
    this.size = 64;
    this.active = 0;
    this.scrolled = -Infinity;
    this.title = h("h2", { id: "maps-title" }, "All maps");
    this.sizes = SIZES.map(([size, name]) =>
      h("button", { type: "button", "aria-pressed": size === this.size, onclick: () => this.resize(size) }, name),
    );
    const sizes = h("div", { class: "sizes", role: "group", "aria-label": "Size of the maps" }, this.sizes);
    this.header = h("header", {}, this.title, sizes);
    this.sentence = h("p", { class: "muted sentence", hidden: true });
    this.box = h("div", {
      class: "box",
      role: "listbox",
      "aria-labelledby": "maps-title",
      onkeydown: (event) => this.key(event),
      onclick: (event) => this.click(event),
      onfocusin: (event) => this.focused(event),
    });
    this.scratch = h("canvas");
    this.thumbnails = new Thumbnails(
      (cell, image) => this.paint(cell, image),
      (cell) => this.distance(cell),
    );
    const drop = (row) => [...row.children].forEach((cell) => this.thumbnails.drop(cell));
    this.tiles = new Tiles(this.box, makeRow, (row, first) => this.bindRow(row, first), drop);
    for (const name of ["wheel", "touchmove", "pointerdown"]) {
      this.box.addEventListener(name, () => this.touch(), { passive: true });
    }
    this.box.addEventListener("scroll", () => this.rest(), { passive: true });
    this.seen = false;
    new ResizeObserver(() => this.resized()).observe(this.box);
    this.update();
  }

  /** Shows the scene's order from the top, or, the first time, from the picked atom. */
  update() {
    const scene = this.app.scene();
    this.say(scene);
    if (!complete(scene)) {
      set(this.box, "aria-busy", scene.failed ? null : "true");
      if (this.atoms?.about !== scene.dictionary) this.show(new Uint32Array(), null);
      return;
    }
    this.box.removeAttribute("aria-busy");
    const order = this.app.order();
    if (order === this.order && scene.atoms === this.atoms) {
      if (this.thumbnails.use(scene.atoms, scene.cut, this.size)) this.redraw();
      return;
    }
    const first = this.atoms === null;
    const kept = this.box.contains(document.activeElement) ? this.order[this.active] : null;
    this.thumbnails.use(scene.atoms, scene.cut, this.size);
    this.show(order, scene.atoms);
    if (kept !== null) this.focus(Math.max(0, order.indexOf(kept)));
    else if (first) this.markPicked();
  }

  /** The same atoms are cut elsewhere: the maps are drawn anew where they are. */
  redraw() {
    this.shape();
    this.tiles.rebind();
  }

  show(order, atoms) {
    const scene = this.app.scene();
    this.order = order;
    this.atoms = atoms;
    this.values = atoms ? valuesOf(this.app.state.by, atoms, scene.effects) : null;
    this.active = 0;
    this.box.scrollTop = 0;
    this.shape();
    this.tiles.rebind();
    if (order.length) this.activate(0);
  }

  say(scene) {
    const entry = number(this.app.state.by);
    const ready = complete(scene);
    const alive = ready ? living(scene.atoms) : 0;
    let text = "";
    if (!scene.dictionary) {
      text = "This network has no dictionary, so there are no maps to show: train one with inrlens sae.";
    } else if (ready && !alive) {
      text = `All ${count(scene.atoms.n)} atoms of this dictionary are dead: none fires anywhere on the grid.`;
    } else if (ready && !this.app.order().length) {
      text = "No atom passes the filters: widen or clear them.";
    }
    this.sentence.textContent = text;
    this.sentence.hidden = !text;
    this.box.hidden = Boolean(text);
    this.header.hidden = !scene.dictionary;
    const known = ready && valuesOf(entry.name, scene.atoms, scene.effects);
    this.title.textContent = `All maps, by ${known ? entry.label : "number"}`;
  }

  /** The box has another size, or is shown at last: an atom picked meanwhile is then brought into sight. */
  resized() {
    const before = this.seen;
    this.seen = this.box.clientWidth > 0;
    this.shape();
    if (this.seen && !before) this.markPicked();
  }

  shape() {
    const [tall, wide] = this.app.scene().cut.small;
    const scale = this.size / Math.max(tall, wide);
    this.map = { width: Math.max(1, Math.round(wide * scale)), height: Math.max(1, Math.round(tall * scale)) };
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.box.style.setProperty("--map-width", `${this.map.width}px`);
    this.box.style.setProperty("--map-height", `${this.map.height}px`);
    const held = this.box.contains(document.activeElement);
    this.tiles.shape(this.order.length, Math.max(NARROWEST, this.map.width + ROOM), this.map.height + LINES);
    if (held && !this.box.contains(document.activeElement) && this.order.length) this.focus(this.active);
  }

  resize(size) {
    this.size = size;
    this.sizes.forEach((button, i) => set(button, "aria-pressed", SIZES[i][0] === size));
    if (!this.atoms) return;
    const place = this.tiles.inSight(this.active) ? this.active : this.tiles.first();
    this.thumbnails.use(this.atoms, this.app.scene().cut, size);
    this.shape();
    this.tiles.rebind();
    this.tiles.reveal(place, false);
  }

  /** Fills a row with the atoms from a place on; what its canvas held is wiped. */
  bindRow(row, first) {
    const { width, columns } = this.tiles;
    const canvas = row.lastChild;
    canvas.width = Math.round(columns * width * this.ratio);
    canvas.height = Math.round(this.map.height * this.ratio);
    for (let column = 0; column < columns; column += 1) this.bind(row.children[column], first + column);
  }

  bind(cell, place) {
    cell.place = place;
    cell.hidden = place >= this.order.length;
    this.thumbnails.drop(cell);
    if (cell.hidden) return;
    const atom = this.order[place];
    const value = this.values ? number(this.app.state.by).show(this.values[atom]) : "";
    const [, name, told] = cell.children;
    name.textContent = atom;
    told.textContent = value;
    set(cell, "aria-label", `Atom ${atom}${value && `, ${value}`}`);
    set(cell, "aria-posinset", place + 1);
    set(cell, "aria-setsize", this.order.length);
    set(cell, "aria-selected", atom === this.app.state.panes[0].atom);
    cell.tabIndex = place === this.active ? 0 : -1;
    set(cell, "data-drawn", null);
    this.thumbnails.want(cell, atom);
  }

  /** Puts a map on its row's canvas, in the middle of its cell. */
  paint(cell, image) {
    const { width, columns } = this.tiles;
    show(this.scratch, image);
    const context = cell.parentNode.lastChild.getContext("2d");
    const left = (cell.place % columns) * width + Math.round((width - this.map.width) / 2);
    const side = [this.map.width, this.map.height].map((pixels) => pixels * this.ratio);
    context.drawImage(this.scratch, left * this.ratio, 0, ...side);
    set(cell, "data-drawn", true);
  }

  /** How far a cell is from the middle of what is in sight, in CSS pixels. */
  distance(cell) {
    const middle = this.box.scrollTop + this.box.clientHeight / 2;
    return Math.abs((this.tiles.rowOf(cell.place) + 0.5) * this.tiles.height - middle);
  }

  /** Marks the picked atom, and shows it if it is out of sight and the reader is not scrolling. */
  markPicked() {
    const { atom } = this.app.state.panes[0];
    for (const row of this.tiles.bound.values()) {
      for (const cell of row.querySelectorAll(".cell")) set(cell, "aria-selected", this.order[cell.place] === atom);
    }
    clearTimeout(this.coming);
    if (atom !== null) this.coming = setTimeout(() => this.bring(atom), AFTER);
  }

  bring(atom) {
    const place = this.order.indexOf(atom);
    if (place < 0 || !this.tiles.height || performance.now() - this.scrolled < PATIENCE) return;
    this.tiles.reveal(place, true);
    if (!this.box.contains(document.activeElement)) this.activate(place);
  }

  /** Makes a place the one that Tab reaches. */
  activate(place) {
    const [before, now] = [this.active, place];
    this.active = now;
    this.tiles.pin(now);
    const [left, reached] = [this.tiles.at(before), this.tiles.at(now)];
    if (left && left !== reached) left.tabIndex = -1;
    if (reached) reached.tabIndex = 0;
  }

  focus(place) {
    this.tiles.reveal(place, false);
    this.activate(place);
    const cell = this.tiles.at(place);
    cell?.focus({ preventScroll: true });
    cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  focused(event) {
    const cell = event.target.closest(".cell");
    if (cell && cell.place !== this.active) this.activate(cell.place);
  }

  touch() {
    this.scrolled = performance.now();
  }

  /** Once the box rests, Tab reaches a cell that is in sight. */
  rest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.order.length || this.box.contains(document.activeElement) || this.tiles.inSight(this.active)) return;
      this.activate(this.tiles.first());
    }, 150);
  }

  click(event) {
    const cell = event.target.closest(".cell");
    if (cell) this.app.pick(this.order[cell.place]);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.order.length) return;
    const { columns } = this.tiles;
    const page = columns * this.tiles.rows();
    const last = this.order.length - 1;
    const pages = { PageDown: page, PageUp: -page, Home: -last, End: last };
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (Object.hasOwn(pages, event.key)) this.focus(Math.min(last, Math.max(0, this.active + pages[event.key])));
    else if (Object.hasOwn(steps, event.key)) {
      const wanted = this.active + steps[event.key];
      if (wanted >= 0 && wanted <= last) this.focus(wanted);
    } else if (event.key === "Enter" || event.key === " ") this.app.pick(this.order[this.active]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Cells, and one canvas for all their maps: browsers put hundreds of canvases together too slowly to scroll them. */
function makeRow(columns) {
  const parts = () => [h("span", { class: "map" }), h("span", { class: "name" }), h("span", { class: "told" })];
  const cell = () => h("button", { type: "button", class: "cell", role: "option", tabindex: -1 }, parts());
  const cells = Array.from({ length: columns }, cell);
  return h("div", { class: "row", role: "none" }, cells, h("canvas", { "aria-hidden": "true" }));
}

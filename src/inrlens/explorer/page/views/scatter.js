// All living atoms as dots over two of their numbers; a rectangle drawn over them filters.

import { choose, h, put, s, set } from "inrlens/dom.js";
import { cloudOf, STEPS } from "inrlens/draw/cloud.js";
import { nearest, paintDots } from "inrlens/draw/dots.js";
import { perFrame } from "inrlens/draw/frame.js";
import { drawAxes } from "inrlens/draw/plot.js";
import { mapCanvas } from "inrlens/draw/seen.js";
import { complete, knownNumbers, living } from "inrlens/model/known.js";
import { count } from "inrlens/model/numbers.js";

const LEFT = 52;
const RIGHT = 14;
const TOP = 26;
const BOTTOM = 40;
/** CSS pixels: how near the pointer must come, and how far it must go until a press becomes a rectangle. */
const REACH = 60;
const PULL = 5;
const THUMBNAIL = 48;

/** Builds the scatter into `host`. @param {HTMLElement} host @param {import("inrlens/model/app.js").App} app */
export function mount(host, app) {
  const plot = new Scatter(app);
  const below = h("div", { class: "below" }, plot.key, plot.clear);
  put(host, plot.axes, plot.area, plot.caption, below, plot.note, plot.help);
  const update = () => {
    const scene = app.scene();
    host.hidden = !scene.dictionary || (complete(scene) && !living(scene.atoms));
    plot.later();
  };
  app.on((changed) => {
    if (app.state.view !== "atoms") return;
    if (["loaded", "pane", "view", "axes", "filters", "fault", "slice"].some((name) => changed.has(name))) update();
    if (changed.has("pane")) plot.leave();
    if (changed.has("atom")) plot.mark();
  });
  update();
}

class Scatter {
  constructor(app) {
    this.app = app;
    this.cloud = null;
    this.over = null;
    this.drag = null;
    this.later = perFrame(() => this.draw());
    this.axes = h("p", { class: "axes" });
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.lines = s("g");
    this.brush = s("rect", { class: "brush", visibility: "hidden" });
    this.rings = ["over", "picked"].map((name) => s("circle", { class: name, r: 6, visibility: "hidden" }));
    this.layers = [[this.lines], [this.brush, this.rings]].map((parts) => s("svg", { "aria-hidden": "true" }, parts));
    this.area = h(
      "div",
      { class: "area", tabindex: 0, role: "slider", "aria-describedby": "scatter-note scatter-help" },
      this.layers[0],
      this.canvas,
      this.layers[1],
    );
    this.map = h("canvas", { "aria-hidden": "true" });
    this.told = h("span");
    this.caption = h("p", { class: "caption" }, this.map, this.told);
    this.key = h("p", { class: "key muted", hidden: true }, "locality 0", swatches(), "100\u202f%");
    this.note = h("p", { class: "note muted", id: "scatter-note" });
    const clearing = { type: "button", class: "quiet", hidden: true, onclick: () => this.unbrush() };
    this.clear = h("button", clearing, "clear the brush");
    this.help = h(
      "p",
      { class: "note muted", id: "scatter-help" },
      "Drag a rectangle to filter. With the keyboard, arrows go from atom to atom, Enter picks, Escape clears.",
    );
    this.listen();
  }

  listen() {
    const { area } = this;
    area.addEventListener("pointerdown", (event) => this.press(event));
    area.addEventListener("pointermove", (event) => this.point(event));
    area.addEventListener("pointerup", (event) => this.release(event));
    area.addEventListener("pointercancel", () => this.stop());
    area.addEventListener("pointerleave", () => this.drag || this.hover(null));
    area.addEventListener("keydown", (event) => this.keyed(event));
    new ResizeObserver(() => this.later()).observe(area);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.later());
  }

  /** The entries of the axes: the state's, or the first ones that the bundle has. */
  entries(known) {
    const wanted = this.app.state.axes.map((name) => known.find((one) => one.name === name));
    const others = known.filter((one) => !wanted.includes(one));
    return wanted.map((one) => one ?? others.shift() ?? known[0]);
  }

  draw() {
    const scene = this.app.scene();
    const known = knownNumbers(scene);
    const [width, height] = [this.area.clientWidth, this.area.clientHeight];
    if (!known.length || !width || this.app.state.view !== "atoms") return;
    this.choices(known);
    const frame = { left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
    this.cloud = complete(scene) ? cloudOf(scene, this.entries(known), this.app.order(), frame) : null;
    for (const svg of this.layers) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.paint(width, height);
    put(this.lines);
    if (this.cloud?.axes) drawAxes(this.lines, ...this.cloud.axes, frame);
    this.tell(scene, known);
    this.mark();
    this.showBrush();
  }

  choices(known) {
    const names = this.entries(known).map(({ name }) => name);
    const key = known.map(({ name }) => name).join();
    if (this.axes.dataset.key !== key) {
      this.axes.dataset.key = key;
      const options = known.map(({ name, label }) => [name, label]);
      const select = (label, place) =>
        choose(label, options, names[place], (name) => {
          const axes = this.entries(known).map((one) => one.name);
          axes[place] = name;
          this.app.set({ axes });
        });
      put(this.axes, select("Upward", 1), " against ", select("Across", 0));
    }
    const [up, across] = this.axes.querySelectorAll("select");
    [across.value, up.value] = names;
  }

  paint(width, height) {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    if (!this.cloud) return;
    const style = getComputedStyle(this.area);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { xs, ys, faint, groups } = this.cloud;
    const across = xs.length < 2000 ? 4 : 3;
    const layers = groups.map(({ step, dots }) => ({
      colour: colour(step === null ? "--muted" : step < 0 ? "--ink" : `--local-${step}`),
      alpha: 1,
      dots,
    }));
    paintDots(
      this.canvas.getContext("2d"),
      xs,
      ys,
      [{ colour: colour("--edge"), alpha: 0.35, dots: faint }, ...layers],
      across,
      ratio,
    );
  }

  tell(scene, known) {
    const { cloud } = this;
    const [x, y] = this.entries(known);
    const shown = cloud?.along.length ?? 0;
    this.note.textContent = cloud ? cloud.outside.join(" ") : "";
    this.note.hidden = !this.note.textContent;
    this.key.hidden = !cloud?.local;
    const passing = cloud && cloud.passing < cloud.living ? `, ${count(cloud.passing)} of them pass the filters` : "";
    const all = count(cloud?.living ?? scene.dictionary.n_atoms);
    set(this.area, "aria-label", `${all} atoms by ${x.label} and ${y.label}${passing}`);
    set(this.area, "aria-valuemin", shown ? 1 : 0);
    set(this.area, "aria-valuemax", shown);
    set(this.area, "aria-busy", cloud || this.app.scene().failed ? null : "true");
    this.clear.hidden = !this.app.state.filters.some(({ name }) => this.axed(name));
  }

  /** Rings the picked atom and the one under the pointer, and says the latter's numbers, or else the former's. */
  mark() {
    const { cloud } = this;
    const { atom } = this.app.state.panes[0];
    const shown = this.over ?? atom;
    [this.over, atom].forEach((one, i) => {
      const there = cloud && one !== null && !Number.isNaN(cloud.xs[one] + cloud.ys[one]);
      set(this.rings[i], "visibility", there ? "visible" : "hidden");
      if (there) this.rings[i].setAttribute("transform", `translate(${cloud.xs[one]} ${cloud.ys[one]})`);
    });
    this.map.hidden = !cloud || shown === null;
    if (!cloud || shown === null) {
      this.told.textContent = cloud ? "Move over the dots, or touch one: its map appears here." : "";
    } else {
      const { atoms, cut } = this.app.scene();
      mapCanvas(atoms, shown, cut, THUMBNAIL, this.map);
      this.told.textContent = cloud.say(shown);
    }
    const place = cloud && shown !== null ? cloud.along.indexOf(shown) : -1;
    set(this.area, "aria-valuenow", place < 0 ? Math.min(1, cloud?.along.length ?? 0) : place + 1);
    set(this.area, "aria-valuetext", cloud && shown !== null ? cloud.say(shown) : "no atom");
  }

  /** Other atoms are on their way: the dots that are shown are no longer theirs. */
  leave() {
    this.over = this.cloud = null;
  }

  hover(atom) {
    if (atom === this.over) return;
    this.over = atom;
    this.mark();
  }

  at(event) {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (!this.cloud?.axes || event.button !== 0) return;
    const [x, y] = this.at(event);
    this.drag = { from: [x, y], to: [x, y], pulled: false };
    this.area.setPointerCapture(event.pointerId);
  }

  point(event) {
    if (!this.cloud) return;
    const [x, y] = this.at(event);
    if (!this.drag) {
      this.hover(nearest(this.cloud.xs, this.cloud.ys, x, y, REACH));
      return;
    }
    this.drag.to = [x, y];
    this.drag.pulled ||= Math.hypot(x - this.drag.from[0], y - this.drag.from[1]) > PULL;
    if (this.drag.pulled) this.showBrush();
  }

  release(event) {
    const { drag } = this;
    this.stop();
    if (!drag || !this.cloud) return;
    if (drag.pulled) {
      const filters = this.cloud.filters(drag.from, drag.to);
      this.app.set({ filters: [...this.app.state.filters.filter(({ name }) => !this.axed(name)), ...filters] });
      return;
    }
    const atom = nearest(this.cloud.xs, this.cloud.ys, ...this.at(event), REACH);
    if (atom !== null) this.app.pick(atom);
  }

  stop() {
    this.drag = null;
    this.showBrush();
  }

  axed(name) {
    return this.entries(knownNumbers(this.app.scene())).some((entry) => entry.name === name);
  }

  /** Takes off the filters on the two axes. */
  unbrush() {
    const filters = this.app.state.filters.filter(({ name }) => !this.axed(name));
    if (this.clear === document.activeElement) this.area.focus();
    this.app.set({ filters });
  }

  /** The rectangle that is being drawn, or the one that the filters make. */
  showBrush() {
    const rect = this.cloud?.axes ? this.rectangle() : null;
    set(this.brush, "visibility", rect ? "visible" : "hidden");
    for (const [name, value] of Object.entries(rect ?? {})) this.brush.setAttribute(name, value);
  }

  rectangle() {
    const { drag, cloud } = this;
    if (drag?.pulled) return cloud.clip(drag.from, drag.to);
    const filters = cloud.axes.map(({ entry }) => this.app.state.filters.find(({ name }) => name === entry.name));
    return filters.some(Boolean) ? cloud.span(filters) : null;
  }

  keyed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.cloud) return;
    const { along } = this.cloud;
    const place = along.indexOf(this.over ?? this.app.state.panes[0].atom);
    const go = (to) => along.length && this.hover(along[Math.min(along.length - 1, Math.max(0, to))]);
    if (event.key === "ArrowRight" || event.key === "ArrowUp") go(place + 1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowDown") go(place < 0 ? along.length - 1 : place - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(along.length - 1);
    else if (event.key === "Enter" && this.over !== null) this.app.pick(this.over);
    else if (event.key === "Escape" && this.drag) this.stop();
    else if (event.key === "Escape" && !this.clear.hidden) this.unbrush();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const swatches = () => Array.from({ length: STEPS }, (_, step) => h("i", { class: `local-${step}` }));

// Two dictionaries side by side, each at the same rank of its own order.

import { choose, h, put, set } from "inrlens/dom.js";
import { ablation, meanMap } from "inrlens/draw/ablation.js";
import { perFrame } from "inrlens/draw/frame.js";
import { show } from "inrlens/draw/raster.js";
import { mapCanvas } from "inrlens/draw/seen.js";
import { complete } from "inrlens/model/known.js";
import { NUMBERS, count, fixed, number, valuesOf } from "inrlens/model/numbers.js";
import { PLACES, difference, presets as pairsOf } from "inrlens/model/pairs.js";

/** Atoms in a pane's gallery, as in the paper's figure; phones show half of them. */
const FIRST = 24;
const GALLERY_SIDE = 96;
const READ = ["psnr_drop", "active_fraction", "in_radius", "pieces"];
/** The order of atoms that have not come yet. */
const NONE = new Uint32Array();
const TOUCHED = ["view", "panes", "pane", "rank", "by", "descending", "filters", "loaded", "slice"];

export function mount(host, app) {
  const presets = h("p", { class: "presets" });
  const bar = rankBar(app);
  const between = h("p", { class: "between", "aria-live": "polite" });
  const panes = [0, 1].map((place) => paneView(app, place));
  put(host, presets, bar.element, h("div", { class: "twin" }, panes[0].element, between, panes[1].element));
  const draw = () => {
    if (app.state.view !== "compare") return;
    drawPresets(presets, app);
    bar.draw();
    for (const pane of panes) pane.draw();
    const said = difference(app);
    if (between.textContent !== said) between.textContent = said;
  };
  const later = perFrame(draw);
  app.on((changed) => TOUCHED.some((name) => changed.has(name)) && later());
  draw();
}

function rankBar(app) {
  const go = (rank) => app.set({ rank: Math.min(Math.max(0, longest(app) - 1), Math.max(0, rank)) });
  const typed = h("input", {
    type: "number",
    min: 1,
    "aria-label": "Rank",
    onchange: () => go((Number.parseInt(typed.value, 10) || 1) - 1),
  });
  const slider = h("input", { type: "range", min: 1, "aria-label": "Rank", oninput: () => go(slider.value - 1) });
  const stepper = (label, text, by) =>
    h("button", { type: "button", "aria-label": label, onclick: () => go(app.state.rank + by) }, text);
  const [before, after] = [stepper("Previous rank", "‹", -1), stepper("Next rank", "›", 1)];
  const numbers = NUMBERS.map(({ name, label }) => [name, label]);
  const by = choose("Order", numbers, app.state.by, (name) => app.set({ by: name }));
  const turn = h("button", { type: "button", onclick: () => app.set({ descending: !app.state.descending }) });
  const clear = h(
    "button",
    { type: "button", class: "quiet", onclick: () => app.set({ filters: [] }) },
    "Clear filters",
  );
  const filters = h("span", { class: "filters muted small" });
  const element = h(
    "div",
    { class: "rank", role: "group", "aria-label": "Rank and order of both panes" },
    h("span", { class: "step" }, h("span", { class: "muted small" }, "rank"), before, typed, after, slider),
    h("span", { class: "sort" }, h("span", { class: "muted small" }, "ordered by"), by, turn),
    filters,
  );
  const draw = () => {
    const { rank, descending } = app.state;
    const most = longest(app);
    set(typed, "max", Math.max(1, most));
    set(slider, "max", Math.max(1, most));
    typed.value = rank + 1;
    slider.value = rank + 1;
    before.disabled = rank <= 0;
    after.disabled = rank >= most - 1;
    by.value = app.state.by;
    turn.textContent = descending ? "largest first" : "smallest first";
    const held = app.state.filters.length;
    const whose = held === 1 ? "The filter of the Atoms view holds" : `The ${held} filters of the Atoms view hold`;
    put(filters, held ? [`${whose} here too.`, clear] : []);
  };
  return { element, draw };
}

const longest = (app) => Math.max(app.order(0).length, app.order(1).length);

function paneView(app, place) {
  const selects = h("div", { class: "choice" });
  const gallery = galleryView(app, place);
  const result = h("div", { class: "removal" });
  const bare = h("p", { class: "muted" });
  const element = h("section", { class: "pane", "aria-label": `The ${PLACES[place]} pane` });
  put(element, selects, bare, gallery.element, result);
  let [chosen, drawn] = ["", []];
  const draw = () => {
    const scene = settled(app.scene(place));
    const pane = app.state.panes[place];
    const key = [pane.network, pane.head, pane.dictionary].join(" ");
    if (key !== chosen) drawSelects(selects, app, place);
    chosen = key;
    bare.hidden = Boolean(scene.dictionary);
    gallery.element.hidden = result.hidden = !scene.dictionary;
    if (!scene.dictionary) {
      const why = `${scene.network.name} has no dictionary, so it has no atoms to compare`;
      bare.textContent = `${why}: train one with inrlens sae.`;
      drawn = [];
      return;
    }
    const order = scene.atoms ? app.order(place) : NONE;
    gallery.draw(scene, order);
    const atom = order[app.state.rank] ?? null;
    const now = [key, scene.atoms, scene.effects, scene.output, atom, order.length, app.state.rank];
    if (now.length === drawn.length && now.every((value, i) => value === drawn[i])) return;
    drawn = now;
    drawRemoval(result, app, place, scene, atom, order.length);
  };
  return { element, draw };
}

/** A scene whose atoms are there only with all that orders them: otherwise another atom would flash by. */
function settled(scene) {
  return complete(scene) ? scene : { ...scene, atoms: null, effects: null };
}

function drawSelects(host, app, place) {
  const { network, head, dictionary } = app.state.panes[place];
  const about = app.networkOf(network);
  const held = host.contains(document.activeElement) ? document.activeElement.dataset.what : null;
  const pick = (what, label, choices, chosen, onchange) =>
    h("label", {}, label, choose(`${label}, ${PLACES[place]} pane`, choices, chosen, onchange, { "data-what": what }));
  const shown = app.manifest.networks.filter((one) => one.signals.length);
  put(
    host,
    pick(
      "network",
      "Network",
      shown.map((one) => [one.id, one.name]),
      network,
      (id) => app.setPane(place, { network: id }),
    ),
    pick(
      "head",
      "Signal",
      about.signals.map((one) => [one.head, one.name]),
      head,
      (text) => app.setPane(place, { head: Number(text) }),
    ),
    dictionary === null
      ? null
      : pick(
          "dictionary",
          "Dictionary",
          about.dictionaries.map((one) => [one.id, one.name]),
          dictionary,
          (id) => app.setPane(place, { dictionary: id }),
        ),
  );
  if (held) host.querySelector(`[data-what="${held}"]`)?.focus();
}

/** The first atoms' maps; one of them is in the order of tabs, arrows go on from there. */
function galleryView(app, place) {
  const label = `The first ${FIRST} maps, ${PLACES[place]} pane`;
  const list = h("div", { class: "gallery", role: "group", "aria-label": label });
  let [buttons, drawn, seen] = [[], null, null];
  list.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[at + by];
    if (!next || !next.offsetParent) return;
    next.focus();
    app.set({ rank: at + by });
  });
  const draw = (scene, order) => {
    if (drawn !== order || seen !== scene.cut) fillGallery(scene, order);
    [drawn, seen] = [order, scene.cut];
    const rank = Math.min(app.state.rank, buttons.length - 1);
    buttons.forEach((button, at) => {
      set(button, "aria-pressed", at === app.state.rank);
      button.tabIndex = at === rank ? 0 : -1;
    });
    // A place past the last that is seen must not take the only stop for the tab key away.
    if (buttons[rank] && !buttons[rank].offsetParent) buttons[0].tabIndex = 0;
  };
  const fillGallery = (scene, order) => {
    const { atoms, cut } = scene;
    const [height, width] = cut.small;
    list.style.setProperty("--shape", `${width} / ${height}`);
    const first = [...order.slice(0, FIRST)];
    buttons = first.map((atom, at) =>
      h(
        "button",
        {
          type: "button",
          title: `Rank ${at + 1}: atom ${count(atom)}`,
          "aria-label": `Rank ${at + 1}, atom ${count(atom)}`,
          onclick: () => app.set({ rank: at }),
        },
        mapCanvas(atoms, atom, cut, GALLERY_SIDE),
      ),
    );
    const empty = atoms ? [] : Array.from({ length: FIRST }, () => h("span", { class: "blank" }));
    const mean = h("canvas", { role: "img", "aria-label": `Mean map of the first ${first.length} atoms` });
    if (first.length) show(mean, meanMap(atoms, first, cut));
    const said = atoms && !first.length ? "no atom passes the filters" : `mean of the first ${first.length || FIRST}`;
    const picture = first.length ? mean : h("span", { class: "blank" });
    put(list, buttons, empty, h("figure", { class: "mean" }, picture, h("figcaption", {}, said)));
  };
  return { element: list, draw };
}

function drawRemoval(host, app, place, scene, atom, most) {
  const { cut, signal, dictionary, atoms, effects } = scene;
  if (atoms && atom === null) {
    const text = `This order has only ${count(most)} atoms, so none stands at rank ${count(app.state.rank + 1)}.`;
    const none = complete(scene) ? "No atom of this dictionary passes the filters." : "";
    put(host, h("p", { class: "muted" }, most ? text : none));
    return;
  }
  const about = atoms ? ablation(scene, atom) : { map: null, without: null, effect: null, lost: null };
  const tile = (image, caption, alt) => {
    const canvas = h("canvas", { role: "img", "aria-label": alt, width: cut.frame[1], height: cut.frame[0] });
    if (image) show(canvas, image);
    return h("figure", {}, canvas, h("figcaption", {}, caption));
  };
  const who = atom === null ? "the atom" : `atom ${count(atom)}`;
  const known = about.lost !== null;
  const missing = atoms && !dictionary.effects.some((one) => one.head === signal.head);
  const fall = missing
    ? "This bundle holds no effects for this signal."
    : known
      ? `PSNR ${fixed(about.before, 2)} → ${fixed(about.after, 2)}\u202fdB`
      : "\u00a0";
  put(
    host,
    h(
      "header",
      {},
      h("p", { class: "lost" }, h("b", {}, known ? number("psnr_drop").show(about.lost) : "–"), " lost"),
      h("p", { class: "muted" }, atom === null ? "" : `without ${who}: `, h("br"), fall),
      h(
        "button",
        { type: "button", disabled: atom === null, onclick: () => openInAtoms(app, place, atom) },
        "Open in Atoms",
      ),
    ),
    h(
      "div",
      { class: "tiles" },
      tile(about.map, "Atom |z|", `Map of ${who}`),
      tile(about.without, "Without it", `The ${cut.thing} without ${who}`),
      tile(about.effect, "Effect |Δ|", `The effect of ${who}`),
      h(
        "dl",
        {},
        READ.map((name) => readout(name, atoms, effects, atom)),
      ),
    ),
  );
}

function readout(name, atoms, effects, atom) {
  const { label, show: say, said } = number(name);
  const value = atom === null ? NaN : (valuesOf(name, atoms, effects)?.[atom] ?? NaN);
  return h("div", { title: said }, h("dt", {}, label), h("dd", {}, Number.isFinite(value) ? say(value) : "–"));
}

function openInAtoms(app, place, atom) {
  const { network, head, dictionary } = app.state.panes[place];
  app.setPane(0, { network, head, dictionary, atom });
  app.set({ view: "atoms" });
}

function drawPresets(host, app) {
  const pairs = pairsOf(app.manifest, app.state.panes[0].network);
  const shown = JSON.stringify(pairs);
  const fits = ({ panes }) =>
    panes.every((pane, i) => Object.entries(pane).every(([name, value]) => app.state.panes[i][name] === value));
  if (host.dataset.shown !== shown) {
    const held = host.contains(document.activeElement) ? document.activeElement.textContent : null;
    host.dataset.shown = shown;
    const apply = ({ panes }) => panes.forEach((pane, place) => app.setPane(place, pane));
    put(
      host,
      pairs.map((pair) => h("button", { type: "button", onclick: () => apply(pair) }, pair.label)),
    );
    [...host.children].find((button) => button.textContent === held)?.focus();
  }
  [...host.children].forEach((button, i) => set(button, "aria-pressed", fits(pairs[i])));
}

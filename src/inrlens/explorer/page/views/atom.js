// The picked atom: what its removal costs, its numbers, and the atoms most like it.

import { h, put, set } from "inrlens/dom.js";
import { debounced, perFrame } from "inrlens/draw/frame.js";
import { mapCanvas } from "inrlens/draw/seen.js";
import { NUMBERS, count, fixed, number, valuesOf } from "inrlens/model/numbers.js";
import { THUMBNAIL, likeButton, mostAlike } from "inrlens/views/alike.js";
import { copyButton } from "inrlens/views/copying.js";

const TOLD = ["atom", "pane", "gains", "loaded", "by", "descending", "filters", "view", "fault", "slice"];
const OFFERED = 3;
/** Milliseconds after a pick before the atoms like it are looked up: the pictures come first. */
const AFTER = 80;

/**
 * The panel of the picked atom of pane 0.
 * @param {HTMLElement} host
 * @param {import("inrlens/model/app.js").App} app
 */
export function mount(host, app) {
  const title = h("h2", { tabindex: -1 });
  const place = h("span", { class: "muted small" });
  const told = h("p", { class: "unseen", role: "status" });
  const steps = h(
    "span",
    { class: "steps" },
    stepButton(app, -1, "‹", "Previous atom in the order (k)"),
    stepButton(app, 1, "›", "Next atom in the order (j)"),
  );
  const offer = offered(app, () => title.focus({ preventScroll: true }));
  const facts = factsOf(app);
  const alike = mostAlike(app, () => title.focus({ preventScroll: true }));
  const body = h("div", { class: "body" }, facts.element, alike.element);
  put(host, h("header", {}, title, place, steps), told, offer.element, body);

  const tellLater = debounced((text) => (told.textContent = text), 500);
  const alikeLater = debounced(() => {
    const scene = app.scene(0);
    if (scene.dictionary === null || scene.atom === null) return;
    alike.draw(scene);
    alike.element.hidden = scene.atoms !== null && !scene.atoms.count(scene.atom);
  }, AFTER);
  const draw = () => {
    if (app.state.view !== "atoms") return;
    const scene = app.scene(0);
    const picked = scene.dictionary !== null && scene.atom !== null;
    title.textContent = picked ? `Atom ${scene.atom}` : "Atom";
    place.textContent = picked && scene.atoms ? placeOf(app, scene) : "";
    if (picked && scene.atoms) tellLater(`${title.textContent}, ${place.textContent}`);
    steps.hidden = body.hidden = !picked;
    offer.element.hidden = picked;
    if (picked) {
      facts.draw(scene);
      alikeLater();
    } else offer.draw(scene);
  };
  const later = perFrame(draw);
  app.on((changed) => TOLD.some((name) => changed.has(name)) && later());
  draw();
}

function stepButton(app, by, sign, label) {
  return h("button", { type: "button", "aria-label": label, title: label, onclick: () => app.step(by) }, sign);
}

/** "3rd of 1,024 by dB lost", or why the atom has no place. */
function placeOf(app, { atoms, effects, atom }) {
  if (!atoms.count(atom)) return "dead";
  const order = app.order(0);
  const at = order.indexOf(atom);
  if (at < 0) return "outside the filters";
  const { by, descending, filters } = app.state;
  const rank = `${ordinal(at + 1)} of ${count(order.length)}${filters.length ? " filtered" : ""}`;
  if (number(by).effect && !effects) return rank;
  return `${rank} by ${number(by).label}${descending ? "" : ", smallest first"}`;
}

/** 1st, 2nd, 3rd, 4th, 11th, 1,021st */
export function ordinal(value) {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  return count(value) + (teen ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th"));
}

/** Where no atom is picked: how to pick one, and those that cost most. */
function offered(app, refocus) {
  const text = h("p", { class: "muted" });
  const list = h("div", { class: "likes three" });
  let drawn = null;
  const draw = (scene) => {
    const { dictionary, atoms, effects, cut, signal } = scene;
    const key = dictionary && atoms ? [dictionary.id, effects ? signal.head : "", cut.axis, cut.index].join(" ") : null;
    if (key !== null && key === drawn) return;
    drawn = key;
    put(list);
    if (!dictionary) {
      text.textContent = "This network has no dictionary here, so there are no atoms to pick.";
      return;
    }
    const by = effects ? "psnr_drop" : "mean_magnitude";
    const which = effects ? "Those that cost most:" : `Those with the largest ${number(by).label}:`;
    const how = "Pick an atom by clicking its point, its map, or a pixel that it fires on.";
    text.textContent = cut.named(atoms ? `${how} ${which}` : how);
    if (!atoms) return;
    const values = valuesOf(by, atoms, effects);
    const buttons = largest(values, OFFERED, (atom) => atoms.count(atom) > 0).map((atom) => {
      const shown = number(by).show(values[atom]);
      const label = `Atom ${atom}, ${shown} ${effects ? "lost" : number(by).label}`;
      const go = () => {
        app.pick(atom);
        refocus();
      };
      const { button, canvas } = likeButton(atom, shown, label, cut, go);
      mapCanvas(atoms, atom, cut, THUMBNAIL, canvas);
      return button;
    });
    put(list, buttons);
  };
  return { element: h("div", { class: "offer" }, text, list), draw };
}

/** The places of the largest finite values that pass a test, largest first. */
function largest(values, most, passes) {
  const found = [];
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i]) || !passes(i)) continue;
    if (found.length === most && values[i] <= values[found[most - 1]]) continue;
    const at = found.findIndex((other) => values[i] > values[other]);
    found.splice(at < 0 ? found.length : at, 0, i);
    if (found.length > most) found.pop();
  }
  return found;
}

/** What one atom costs, its numbers, and what can be done with it. */
function factsOf(app) {
  const cost = h("p", { class: "cost" });
  const cells = NUMBERS.map((entry) => ({ entry, cell: h("dd", {}), said: h("dd", {}) }));
  const numbers = h(
    "dl",
    { class: "numbers" },
    cells.map(({ entry, cell }) => h("div", {}, h("dt", {}, entry.label), cell)),
  );
  const meanings = h(
    "details",
    { class: "meanings" },
    h("summary", {}, "What these numbers mean"),
    h(
      "dl",
      {},
      cells.map(({ entry, said }) => h("div", {}, h("dt", {}, entry.label), said)),
    ),
  );
  const toggle = (gain) => () => {
    const { atom, gains } = app.state.panes[0];
    app.gain(atom, gains[atom] === gain ? null : gain);
  };
  const remove = h("button", { type: "button", onclick: toggle(0), title: "Gain 0 in the edit (x)" }, "remove it");
  const double = h("button", { type: "button", onclick: toggle(2), title: "Gain 2 in the edit" }, "double it");
  const buttons = h(
    "div",
    { class: "row" },
    remove,
    double,
    copyButton("copy link", () => app.link()),
  );
  const draw = (scene) => {
    const { atoms, effects, atom, cut } = scene;
    const dead = atoms !== null && !atoms.count(atom);
    put(cost, costOf(scene));
    numbers.hidden = meanings.hidden = remove.hidden = double.hidden = dead;
    for (const { entry, cell, said } of cells) {
      said.textContent = cell.parentElement.title = cut.named(entry.said);
      const values = atoms ? valuesOf(entry.name, atoms, effects) : null;
      cell.textContent = values ? entry.show(values[atom]) : "–";
    }
    const gain = app.state.panes[0].gains[atom];
    set(remove, "aria-pressed", gain === 0);
    set(double, "aria-pressed", gain === 2);
  };
  return { element: h("div", {}, cost, buttons, numbers, meanings), draw };
}

function costOf({ dictionary, atoms, effects, signal, failed, atom }) {
  const waiting = failed ? "could not be loaded" : "loading";
  if (!atoms) return h("span", { class: "muted" }, waiting);
  if (!atoms.count(atom)) return "It fires nowhere on this grid.";
  if (!effects) {
    const coming = dictionary.effects.some((one) => one.head === signal.head);
    return h("span", { class: "muted" }, coming ? waiting : "The bundle holds no effects on this signal.");
  }
  const drop = effects.numbers.psnr_drop[atom];
  return [
    h("span", { class: "muted small" }, "PSNR with and without it "),
    h("strong", {}, `${fixed(signal.psnr, 2)} → ${fixed(signal.psnr - drop, 2)}\u202fdB`),
    ` ${lost(drop)}`,
  ];
}

/**
 * "0.32 dB lost", "0.02 dB gained", "under 0.01 dB lost".
 * @param {number} drop in dB, before minus after
 */
export function lost(drop) {
  if (!Number.isFinite(drop)) return "";
  const size = Math.abs(drop);
  const word = drop < 0 ? "gained" : "lost";
  if (size === 0) return "nothing lost";
  return size < 0.005 ? `under 0.01\u202fdB ${word}` : `${fixed(size, 2)}\u202fdB ${word}`;
}

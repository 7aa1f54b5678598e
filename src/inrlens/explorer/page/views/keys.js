// Shortcuts: one table for what keys do and for the dialog that lists them.

import { h } from "inrlens/dom.js";
import { VIEWS } from "inrlens/model/state.js";

/** Elements that take letters themselves. */
const TYPING =
  'select, textarea, [contenteditable]:not([contenteditable="false"]), ' +
  'input:not([type="range"], [type="checkbox"], [type="radio"], [type="button"], [type="submit"])';
/** Elements that may have a use for arrows. */
const ARROWS =
  'input, select, textarea, canvas, svg, video, [tabindex="0"], [contenteditable], [role="grid"], ' +
  '[role="listbox"], [role="toolbar"], [role="radiogroup"], [role="slider"], [role="application"], [role="menu"]';

/** @type {{keys: string[], shown: string, said: string, in?: string, run: (app: Object) => void}[]} */
const SHORTCUTS = [
  { keys: ["j", "ArrowRight"], shown: "j →", said: "next atom in the order; in Compare, next rank", run: next },
  { keys: ["k", "ArrowLeft"], shown: "k ←", said: "previous atom, or rank", run: previous },
  { keys: ["["], shown: "[", said: "previous dictionary of the network", in: "atoms", run: (app) => layer(app, -1) },
  { keys: ["]"], shown: "]", said: "next dictionary of the network", in: "atoms", run: (app) => layer(app, 1) },
  { keys: ["n"], shown: "n", said: "next signal", in: "atoms", run: nextSignal },
  { keys: ["x"], shown: "x", said: "remove the picked atom, or put it back", in: "atoms", run: removeOrKeep },
  { keys: ["c"], shown: "c", said: "clear the edit", in: "atoms", run: clearEdit },
  ...VIEWS.map((view, i) => ({
    keys: [String(i + 1)],
    shown: String(i + 1),
    said: `show ${view[0].toUpperCase()}${view.slice(1)}`,
    run: (app) => app.set({ view }),
  })),
  { keys: ["?"], shown: "?", said: "this list", run: openHelp },
];

const FOCUSED = [
  [
    "On a picture that has the focus",
    [
      ["← → ↑ ↓", "move the pixel, with Shift by ten"],
      ["+ −", "zoom in and out"],
      ["0", "show the whole picture"],
      ["Enter", "keep the pixel"],
      ["Esc", "let it go"],
    ],
  ],
  [
    "On the scatter",
    [
      ["← →", "go from atom to atom"],
      ["Enter", "pick the atom"],
      ["Esc", "clear the rectangle"],
    ],
  ],
  [
    "On the maps",
    [
      ["← → ↑ ↓", "go from map to map"],
      ["Home End", "the first, the last"],
      ["Enter", "pick the atom"],
    ],
  ],
];

/**
 * Listens to the shortcuts of the whole document.
 * @param {import("inrlens/model/app.js").App} app
 */
export function listenToKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    if (event.key.startsWith("Arrow") && target.closest(ARROWS)) return;
    const found = SHORTCUTS.find((one) => one.keys.includes(event.key));
    if (!found || (found.in && found.in !== app.state.view)) return;
    event.preventDefault();
    found.run(app);
  });
}

/** The button that opens the list of shortcuts. @returns {HTMLElement} */
export function helpButton() {
  const label = "Keyboard shortcuts";
  return h("button", { type: "button", class: "help", "aria-label": label, title: label, onclick: openHelp }, "?");
}

function next(app) {
  go(app, 1);
}

function previous(app) {
  go(app, -1);
}

function go(app, by) {
  if (app.state.view === "atoms") app.step(by);
  if (app.state.view !== "compare") return;
  const last = Math.max(...app.state.panes.map((_, place) => app.order(place).length)) - 1;
  const rank = Math.max(0, Math.min(last, app.state.rank + by));
  if (rank !== app.state.rank) app.set({ rank });
}

function layer(app, by) {
  const { network, dictionary } = app.scene(0);
  const next = network.dictionaries[network.dictionaries.indexOf(dictionary) + by];
  if (dictionary && next) app.setPane(0, { dictionary: next.id });
}

function nextSignal(app) {
  const { network, signal } = app.scene(0);
  const next = network.signals[(network.signals.indexOf(signal) + 1) % network.signals.length];
  if (next !== signal) app.setPane(0, { head: next.head });
}

function removeOrKeep(app) {
  const { atom, gains } = app.state.panes[0];
  if (atom !== null) app.gain(atom, gains[atom] === 0 ? null : 0);
}

function clearEdit(app) {
  if (Object.keys(app.state.panes[0].gains).length) app.setPane(0, { gains: {} });
}

let dialog = null;

function openHelp() {
  dialog ??= helpDialog();
  if (dialog.open) return;
  const before = document.activeElement;
  dialog.addEventListener("close", () => before?.focus?.({ preventScroll: true }), { once: true });
  dialog.showModal();
}

function helpDialog() {
  const close = h("button", { type: "button", onclick: () => built.close() }, "close");
  const built = h(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title" },
    h("header", {}, h("h2", { id: "keys-title" }, "Keyboard shortcuts"), close),
    listed(
      "Anywhere but in a field",
      SHORTCUTS.map(({ shown, said }) => [shown, said]),
    ),
    FOCUSED.map(([heading, entries]) => listed(heading, entries)),
  );
  // Only the part outside the box belongs to the dialog itself.
  built.addEventListener("click", (event) => event.target === built && !inside(built, event) && built.close());
  document.body.append(built);
  return built;
}

function listed(heading, entries) {
  const keys = (shown) => shown.split(" ").map((key) => h("kbd", {}, key));
  const lines = entries.map(([shown, said]) => h("div", {}, h("dt", {}, keys(shown)), h("dd", {}, said)));
  return h("section", {}, h("h3", {}, heading), h("dl", {}, lines));
}

function inside(element, { clientX, clientY }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}

// The edit: a list of atoms with gains, and what the picture loses by it.

import { h, put, set } from "inrlens/dom.js";
import { debounced, perFrame } from "inrlens/draw/frame.js";
import { mapCanvas } from "inrlens/draw/seen.js";
import { psnr } from "inrlens/model/atoms.js";
import { fixed } from "inrlens/model/numbers.js";
import { GAINS } from "inrlens/model/state.js";
import { lost } from "inrlens/views/atom.js";
import { copyButton } from "inrlens/views/copying.js";

const TOLD = ["gains", "edited", "atom", "pane", "loaded", "fault", "view", "slice"];
const STEP = 0.05;
/** Atoms that can be added at once. */
const MOST = 200;
const THUMBNAIL = 32;
const TICKS = "gain-ticks";
const WORDS = "0 removes an atom, 1 keeps it, 2 doubles it";

/**
 * The panel of the edit of pane 0.
 * @param {HTMLElement} host
 * @param {import("inrlens/model/app.js").App} app
 */
export function mount(host, app) {
  const send = sender(app);
  const title = h("h2", { tabindex: -1 }, "Edit");
  const words = h("p", { class: "muted small" });
  const list = h("ul", { class: "gains" });
  const rows = new Map();
  const focusRow = (atom) => {
    draw();
    (rows.get(atom)?.slider ?? title).focus({ preventScroll: true });
  };
  const put1 = (gain) => () => {
    const { atom } = app.state.panes[0];
    app.gain(atom, gain);
    focusRow(atom);
  };
  const remove = h("button", { type: "button", onclick: put1(0) }, "remove the picked atom");
  const add = h("button", { type: "button", onclick: put1(1) }, "add the picked atom");
  const result = resultOf(app);
  const many = manyOf(app, send, () => {
    draw();
    title.focus({ preventScroll: true });
  });
  put(
    host,
    h("header", {}, title),
    words,
    h("datalist", { id: TICKS }, h("option", { value: 1 })),
    result.element,
    list,
    h("div", { class: "row" }, remove, add),
    many.element,
  );

  const draw = () => {
    if (app.state.view !== "atoms") return;
    const scene = app.scene(0);
    host.classList.toggle("bare", scene.dictionary === null);
    if (!scene.dictionary) return;
    const { gains } = app.state.panes[0];
    const atoms = Object.keys(gains).map(Number);
    words.textContent = atoms.length
      ? `Gains: ${WORDS}.`
      : `An edit multiplies the codes of atoms by gains and runs the rest of the network: ${WORDS}.`;
    for (const [atom, row] of rows) {
      if (row.dictionary === scene.dictionary && atom in gains) continue;
      row.element.remove();
      rows.delete(atom);
    }
    let before = null;
    for (const atom of atoms) {
      if (!rows.has(atom)) rows.set(atom, rowOf(app, send, scene.dictionary, atom, leave));
      const { element, update } = rows.get(atom);
      const next = before ? before.nextSibling : list.firstChild;
      if (next !== element) list.insertBefore(element, next);
      update(gains[atom], scene);
      before = element;
    }
    const free = scene.atom !== null && !(scene.atom in gains);
    remove.hidden = add.hidden = !free;
    many.update(atoms);
    result.draw(scene, atoms.length > 0);
  };
  /** Takes an atom off the list; the focus goes to the row that comes into its place. */
  const leave = (atom) => {
    const atoms = Object.keys(app.state.panes[0].gains).map(Number);
    const at = atoms.indexOf(atom);
    send.drop(atom);
    app.gain(atom, null);
    draw();
    (rows.get(atoms[at + 1] ?? atoms[at - 1])?.off ?? title).focus({ preventScroll: true });
  };
  const later = perFrame(draw);
  app.on((changed) => {
    result.hear(changed);
    if (TOLD.some((name) => changed.has(name))) later();
  });
  draw();
}

/** Puts gains through to the program, at most once a frame. */
function sender(app) {
  const waiting = new Map();
  let dictionary = null;
  const flush = perFrame(() => {
    const pane = app.state.panes[0];
    if (waiting.size === 1) {
      const [[atom, gain]] = waiting;
      if (pane.dictionary === dictionary) app.gain(atom, gain);
    } else if (waiting.size && pane.dictionary === dictionary) {
      app.setPane(0, { gains: { ...pane.gains, ...Object.fromEntries(waiting) } });
    }
    waiting.clear();
  });
  return {
    set(atom, gain) {
      dictionary = app.state.panes[0].dictionary;
      waiting.set(atom, gain);
      flush();
    },
    has: (atom) => waiting.has(atom),
    drop: (atom) => waiting.delete(atom),
    clear: () => waiting.clear(),
  };
}

/** One atom of the list. */
function rowOf(app, send, dictionary, atom, leave) {
  const limits = { min: GAINS[0], max: GAINS[1], step: STEP };
  const canvas = h("canvas", { width: 1, height: 1 });
  const pick = h("button", { type: "button", class: "quiet name", onclick: () => app.pick(atom) }, `atom ${atom}`);
  const slider = h("input", { type: "range", ...limits, list: TICKS, "aria-label": `Gain of atom ${atom}` });
  const field = h("input", {
    type: "number",
    ...limits,
    step: "any",
    "aria-label": `Gain of atom ${atom}, as a number`,
  });
  const off = h(
    "button",
    { type: "button", class: "quiet off", onclick: () => leave(atom), "aria-label": `Take atom ${atom} off the list` },
    "×",
  );
  slider.addEventListener("input", () => {
    field.value = slider.value;
    send.set(atom, Number(slider.value));
  });
  field.addEventListener("input", () => {
    const gain = Number(field.value);
    if (field.value === "" || !(gain >= GAINS[0] && gain <= GAINS[1])) return;
    slider.value = field.value;
    send.set(atom, gain);
  });
  field.addEventListener("change", () => {
    const given = field.value === "" ? app.state.panes[0].gains[atom] : Number(field.value);
    const gain = Math.min(GAINS[1], Math.max(GAINS[0], given));
    field.value = slider.value = gain;
    send.set(atom, gain);
  });
  let drawn = null;
  const update = (gain, scene) => {
    if (!send.has(atom)) {
      if (Number(slider.value) !== gain) slider.value = gain;
      if (document.activeElement !== field && Number(field.value || NaN) !== gain) field.value = gain;
    }
    set(pick, "aria-pressed", scene.atom === atom);
    if (drawn !== scene.cut && scene.atoms) {
      mapCanvas(scene.atoms, atom, scene.cut, THUMBNAIL, canvas);
      drawn = scene.cut;
    }
  };
  return { dictionary, element: h("li", {}, canvas, pick, slider, field, off), slider, off, update };
}

/** PSNR before and after the edit, and how far it is computed. */
function resultOf(app) {
  const line = h("span", {});
  const state = h("span", { class: "muted small" });
  const bar = h("progress", { max: 100, "aria-label": "Computed so far" });
  const told = h("p", { class: "unseen", role: "status" });
  const element = h("div", { class: "result" }, h("p", {}, line, " ", state), bar, told);
  const tellLater = debounced((text) => (told.textContent = text), 800);
  // What there is to see belongs to the gains before until the first picture of the new ones has come.
  let stale = true;
  const hear = (changed) => {
    if (changed.has("edited")) stale = false;
    else if (changed.has("gains") || changed.has("pane")) stale = true;
  };
  const before = { output: null, psnr: NaN };
  const draw = ({ output, target }, any) => {
    element.hidden = !any || output === null;
    if (element.hidden) return tellLater("");
    if (before.output !== output) Object.assign(before, { output, psnr: psnr(output, target) });
    const edited = app.edited(0);
    const failed = app.halted[0];
    const share = edited && !stale ? edited.done / edited.total : 0;
    const exact = edited !== null && !stale && !edited.coarse && share >= 1;
    const percent = Math.floor(100 * share);
    bar.value = percent;
    bar.style.visibility = exact || failed ? "hidden" : "visible";
    if (edited) {
      const both = `${fixed(before.psnr, 2)} → ${fixed(edited.psnr, 2)}\u202fdB`;
      put(line, "PSNR ", h("strong", {}, both), ` ${lost(before.psnr - edited.psnr)}`);
    } else put(line, "PSNR ", h("strong", {}, `${fixed(before.psnr, 2)} → –`));
    if (failed) state.textContent = "could not be computed";
    else if (exact) state.textContent = "exact";
    else if (!edited || stale) state.textContent = "computing";
    else state.textContent = `${edited.coarse ? "coarse picture, " : ""}${percent}\u202f% computed`;
    if (exact || failed) tellLater(`${line.textContent}, ${state.textContent}`);
  };
  return { element, draw, hear };
}

/** What is done with many atoms at once, and the edit as text. */
function manyOf(app, send, refocus) {
  const change = (gains) => {
    send.clear();
    app.setPane(0, { gains });
    refocus();
  };
  const every = (gain) => Object.fromEntries(Object.keys(app.state.panes[0].gains).map((atom) => [atom, gain]));
  const all = h(
    "div",
    { class: "row" },
    h("button", { type: "button", onclick: () => change(every(0)) }, "all to 0"),
    h("button", { type: "button", onclick: () => change(every(1)) }, "all to 1"),
    h("button", { type: "button", onclick: () => change({}), title: "Clear the edit (c)" }, "clear"),
  );
  const amount = h("input", { type: "number", min: 1, max: MOST, step: 1, value: 10, "aria-label": "How many atoms" });
  const first = h(
    "form",
    { class: "row first" },
    h("button", { type: "submit", title: "With gain 1, which changes nothing yet" }, "add the first"),
    amount,
    h("span", {}, "in the order"),
  );
  first.addEventListener("submit", (event) => {
    event.preventDefault();
    const added = [...app.order(0).slice(0, Math.min(MOST, amount.valueAsNumber || 0))];
    change({ ...Object.fromEntries(added.map((atom) => [atom, 1])), ...app.state.panes[0].gains });
  });
  const command = copyButton("copy as command", () => asCommand(app.state.panes[0], app.scene(0).network));
  const copies = h(
    "div",
    { class: "row" },
    copyButton("copy as Python", () => asPython(app.state.panes[0], app.scene(0).network)),
    command,
  );
  const update = (atoms) => {
    all.hidden = !atoms.length;
    copies.hidden = !changedOf(app.state.panes[0]).length;
    command.hidden = app.scene(0).network.run === null;
  };
  return { element: h("div", {}, all, first, copies), update };
}

/** The gains that change something. @returns {[string, number][]} */
const changedOf = (pane) => Object.entries(pane.gains).filter(([, gain]) => gain !== 1);

/** The edit as a line of Python, `il.edit(field, sae, {17: 0.0, 230: 2.0}, head=0)`; with the grid outside of runs. */
export function asPython(pane, { run, grid }) {
  const float = (gain) => (Number.isInteger(gain) ? gain.toFixed(1) : String(gain));
  const gains = changedOf(pane).map(([atom, gain]) => `${atom}: ${float(gain)}`);
  const on = run === null ? `, grid=(${grid.join(", ")})` : "";
  return `il.edit(field, sae, {${gains.join(", ")}}, head=${pane.head}${on})`;
}

/** The edit as a command; RUN and SAE stand for the run's folder and the dictionary's file. */
export function asCommand(pane, network) {
  const condition = network.name.startsWith(`${network.run}: `)
    ? network.name.slice(network.run.length + 2)
    : network.name;
  const gains = changedOf(pane).map(([atom, gain]) => `--gain ${atom}=${gain}`);
  return `inrlens edit RUN SAE --condition ${quoted(condition)} --head ${pane.head} ${gains.join(" ")} -o edited.png`;
}

const quoted = (text) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// What is seen, as one plain object, and as the text after the # of a link that restores it.

import { size } from "inrlens/model/bundle.js";
import { NUMBERS } from "inrlens/model/numbers.js";

export const VIEWS = ["atoms", "compare", "freeze"];
/** Gains that a slider reaches. */
export const GAINS = [-2, 4];

/**
 * What one pane shows: a network by its id, a signal by its head, and of a dictionary an atom and the gains of an edit.
 * @typedef {{network: string, head: number, dictionary: string|null, atom: number|null,
 *   gains: Object<number, number>}} Pane
 */

/**
 * The state that a bundle opens with: the first cohort's middle dictionary, beside the other backbone's where there is.
 * @param {Object} manifest
 */
export function initialState(manifest) {
  const networks = manifest.networks.filter((one) => one.signals.length);
  const first =
    networks.find((one) => one.kind === "cohort" && one.dictionaries.length) ??
    networks.find((one) => one.dictionaries.length) ??
    networks[0];
  const like = networks.filter((one) => one !== first && one.dictionaries.length);
  const second = like.find((one) => one.kind === first?.kind && one.backbone !== first?.backbone) ?? like[0] ?? first;
  const panes = [paneOf(first), paneOf(second)];
  const other = second === first && first?.dictionaries.find((one) => one.id !== panes[0].dictionary);
  if (other) panes[1].dictionary = other.id;
  return {
    view: "atoms",
    panes,
    rank: 0,
    by: "psnr_drop",
    descending: true,
    filters: [],
    axes: ["active_fraction", "psnr_drop"],
    lens: { x: 0.5, y: 0.5, zoom: 1 },
    row: null,
    rowBy: "code",
    freeze: 0,
    setting: null,
    slice: { axis: 0, index: null },
  };
}

/** The pane that shows a network by its first signal and middle dictionary. @returns {Pane} */
export function paneOf(network) {
  const all = network?.dictionaries ?? [];
  return {
    network: network?.id ?? "",
    head: network?.signals[0]?.head ?? 0,
    dictionary: all.length ? all[Math.floor((all.length - 1) / 2)].id : null,
    atom: null,
    gains: {},
  };
}

/** The text of a state: `key=value` joined by `&`. */
export function toHash(state) {
  const parts = new URLSearchParams();
  parts.set("view", state.view);
  state.panes.forEach((pane, place) => {
    const suffix = place ? String(place + 1) : "";
    parts.set(`net${suffix}`, pane.network);
    parts.set(`head${suffix}`, pane.head);
    if (pane.dictionary !== null) parts.set(`sae${suffix}`, pane.dictionary);
    if (pane.atom !== null) parts.set(`atom${suffix}`, pane.atom);
    const gains = Object.entries(pane.gains).map(([atom, gain]) => `${atom}:${gain}`);
    if (gains.length) parts.set(`gains${suffix}`, gains.join(","));
  });
  if (state.view === "compare") parts.set("rank", state.rank);
  parts.set("by", (state.descending ? "" : "-") + state.by);
  if (state.filters.length) parts.set("if", state.filters.map((f) => `${f.name}:${f.low}:${f.high}`).join(","));
  parts.set("axes", state.axes.join(","));
  const { x, y, zoom } = state.lens;
  if (zoom !== 1) parts.set("lens", [x.toFixed(4), y.toFixed(4), zoom.toFixed(3)].join(","));
  if (state.row !== null) parts.set("row", state.row);
  const { axis, index } = state.slice;
  if (axis || index !== null) parts.set("slice", index === null ? axis : `${axis},${index}`);
  if (state.rowBy !== "code") parts.set("rowby", state.rowBy);
  if (state.view === "freeze") {
    parts.set("freeze", state.freeze);
    if (state.setting !== null) parts.set("setting", state.setting);
  }
  return parts.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
}

/**
 * The state of a text; whatever in it does not fit the bundle keeps its initial value.
 * @param {string} hash without the #
 */
export function fromHash(hash, manifest) {
  const parts = new URLSearchParams(hash);
  const state = initialState(manifest);
  if (VIEWS.includes(parts.get("view"))) state.view = parts.get("view");
  state.panes = state.panes.map((pane, place) => readPane(parts, place ? String(place + 1) : "", pane, manifest));
  state.rank = whole(parts.get("rank"), 0, 1e9) ?? state.rank;
  const by = parts.get("by") ?? "";
  if (isNumber(by.replace(/^-/, ""))) [state.by, state.descending] = [by.replace(/^-/, ""), !by.startsWith("-")];
  state.filters = (parts.get("if") ?? "").split(",").map(readFilter).filter(Boolean);
  const axes = (parts.get("axes") ?? "").split(",");
  if (axes.length === 2 && axes.every(isNumber)) state.axes = axes;
  const [x, y, zoom] = (parts.get("lens") ?? "").split(",").map(Number);
  if (zoom >= 1 && zoom <= 64 && x >= 0 && x <= 1 && y >= 0 && y <= 1) state.lens = { x, y, zoom };
  const network = manifest.networks.find((one) => one.id === state.panes[0].network);
  if (network) state.row = whole(parts.get("row"), 0, size(network.grid) - 1);
  const [axis, index] = (parts.get("slice") ?? "").split(",");
  state.slice = { axis: whole(axis, 0, 2) ?? 0, index: whole(index, 0, 1e9) };
  if (parts.get("rowby") === "effect") state.rowBy = "effect";
  state.freeze = whole(parts.get("freeze"), 0, manifest.freeze.length - 1) ?? 0;
  const labels = manifest.freeze[state.freeze]?.settings.map((one) => one.label) ?? [];
  if (labels.includes(parts.get("setting"))) state.setting = parts.get("setting");
  return state;
}

function readPane(parts, suffix, pane, manifest) {
  const named = manifest.networks.find((one) => one.id === parts.get(`net${suffix}`));
  const network = named ?? manifest.networks.find((one) => one.id === pane.network);
  if (!network) return pane;
  const start = paneOf(network);
  const head = whole(parts.get(`head${suffix}`), 0, 1e9);
  const dictionary =
    network.dictionaries.find((one) => one.id === parts.get(`sae${suffix}`)) ??
    network.dictionaries.find((one) => one.id === start.dictionary);
  const most = dictionary ? dictionary.n_atoms - 1 : -1;
  const gains = {};
  for (const entry of (parts.get(`gains${suffix}`) ?? "").split(",")) {
    const [name, value] = entry.split(":");
    const [atom, gain] = [whole(name, 0, most), Number(value)];
    if (atom !== null && value && gain >= GAINS[0] && gain <= GAINS[1]) gains[atom] = gain;
  }
  return {
    network: network.id,
    head: network.signals.some((signal) => signal.head === head) ? head : start.head,
    dictionary: dictionary?.id ?? null,
    atom: whole(parts.get(`atom${suffix}`), 0, most),
    gains,
  };
}

function readFilter(text) {
  const [name, low, high] = text.split(":");
  if (!isNumber(name) || !low || !high || Number.isNaN(Number(low)) || Number.isNaN(Number(high))) return null;
  return { name, low: Number(low), high: Number(high) };
}

const isNumber = (name) => NUMBERS.some((entry) => entry.name === name);

function whole(text, low, high) {
  const value = Number(text);
  return text !== null && text !== undefined && text !== "" && Number.isInteger(value) && value >= low && value <= high
    ? value
    : null;
}

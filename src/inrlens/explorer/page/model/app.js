// The program's one object: the state, what has been loaded for it, and the edits that are running.

import { createRunner, refusal } from "inrlens/compute/runner.js";
import { Atoms, Effects, psnr } from "inrlens/model/atoms.js";
import { size } from "inrlens/model/bundle.js";
import { cutOf } from "inrlens/model/cut.js";
import { fromHash, initialState, paneOf, toHash } from "inrlens/model/state.js";
import { ordered } from "inrlens/model/numbers.js";

/** Milliseconds between two changes of the address: browsers refuse more than some hundred in half a minute. */
const ADDRESS_PAUSE = 250;
/** Milliseconds after an entry of the browser's history in which none is added. */
const AGAIN = 1000;
/** What of a pane is a place to go back to. */
const STEPS = ["network", "head", "dictionary"];
/** Milliseconds without a change after which an edit is prepared. */
const QUIET = 700;
/** Dictionaries kept beside those that are shown. */
const KEPT = 6;

/**
 * What a pane shows, as far as it has been loaded: `target`, `output` (Float32Array (N * c)), `atoms`, `effects` are
 * null until they come, and stay so where `failed` is true; `dictionary` is null where the network has none. `cut` is
 * what is seen of the grid.
 * @typedef {{network: Object, cut: import("inrlens/model/cut.js").Cut, signal: Object, dictionary: Object|null,
 *   target: Float32Array|null, output: Float32Array|null, atoms: Atoms|null, effects: Effects|null, failed: boolean,
 *   atom: number|null}} Scene
 */

export class App {
  /** @param {import("inrlens/model/bundle.js").Bundle} bundle */
  constructor(bundle) {
    this.bundle = bundle;
    this.manifest = bundle.manifest;
    this.listeners = new Set();
    this.loaded = new Map();
    this.orders = new Map();
    this.cuts = new Map();
    this.edits = [null, null];
    /** Whether a pane's edit ended in a fault. */
    this.halted = [false, false];
    this.runners = [null, null];
    this.left = -Infinity;
    /** The row that is pointed at; it is no part of the state. @type {number|null} */
    this.hover = null;
    this.state = location.hash ? fromHash(location.hash.slice(1), this.manifest) : initialState(this.manifest);
    addEventListener("hashchange", () => this.restore());
    addEventListener("pagehide", () => this.write());
  }

  /** Loads what the state shows and starts an edit that it holds. */
  start() {
    this.load();
    this.state.panes.forEach((_, place) => this.edit(place));
  }

  /** Calls `listener(changed)` after every change; `changed` is a Set of names. @returns {() => void} the way off */
  on(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Changes the state: `app.set({view: "compare"})`. */
  set(change) {
    if ("view" in change && change.view !== this.state.view) this.leave();
    this.state = { ...this.state, ...change };
    this.load();
    if ("view" in change) this.edit(1);
    this.tell(...Object.keys(change));
    this.remember();
  }

  /** Changes one pane; a new network starts afresh, a new dictionary drops atom and gains. */
  setPane(place, wanted) {
    const before = this.state.panes[place];
    // What stays as it is must not drop atom and gains.
    const change = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => before[name] !== value));
    if (!Object.keys(change).length) return;
    let pane = { ...before, ...change };
    if ("network" in change) {
      const network = this.networkOf(change.network);
      const { layer } = this.dictionaryOf(before) ?? {};
      const { name } = this.networkOf(before.network).signals.find((one) => one.head === before.head);
      const dictionary = network.dictionaries.find((one) => one.layer === layer);
      const signal = network.signals.find((one) => one.name === name);
      pane = {
        ...paneOf(network),
        ...(dictionary && { dictionary: dictionary.id }),
        ...(signal && { head: signal.head }),
      };
      pane = { ...pane, ...wanted };
    } else if ("dictionary" in change) pane = { ...pane, atom: null, gains: {}, ...wanted };
    const names = new Set(Object.keys(change).map((name) => (name === "network" ? "pane" : name)));
    if (STEPS.some((name) => name in change)) {
      names.add("pane");
      this.leave();
    }
    const panes = this.state.panes.map((one, index) => (index === place ? pane : one));
    this.state = { ...this.state, panes };
    if (names.has("pane") && place === 0 && this.state.row !== null) {
      if (this.state.row >= size(this.networkOf(pane.network).grid)) this.state = { ...this.state, row: null };
    }
    if (names.has("pane")) this.retry();
    this.load();
    if (names.has("pane") || names.has("gains")) this.edit(place);
    if (place === 0) this.prepare();
    this.tell(...names, "panes");
    this.remember();
  }

  tell(...names) {
    const changed = new Set(names);
    for (const listener of [...this.listeners]) listener(changed);
  }

  networkOf(id) {
    return this.manifest.networks.find((one) => one.id === id);
  }

  dictionaryOf(pane) {
    return this.networkOf(pane.network)?.dictionaries.find((one) => one.id === pane.dictionary) ?? null;
  }

  /** What a pane shows now. @returns {Scene} */
  scene(place = 0) {
    const pane = this.state.panes[place];
    const network = this.networkOf(pane.network);
    const signal = network.signals.find((one) => one.head === pane.head);
    const dictionary = this.dictionaryOf(pane);
    const owners = [network, ...(dictionary ? [dictionary] : [])].map(({ id }) => `${id} ${pane.head}`);
    const keys = [...owners, ...(dictionary ? [dictionary.id] : [])];
    const [picture, effects, atoms] = [owners[0], owners[1], dictionary?.id].map(
      (key) => this.loaded.get(key)?.value ?? null,
    );
    const { target = null, output = null } = picture ?? {};
    const failed = keys.some((key) => this.loaded.get(key)?.failed);
    const cut = this.cut(network);
    return { network, cut, signal, dictionary, target, output, atoms, effects, failed, atom: pane.atom };
  }

  /** What is seen of a network's grid: the same object until something else is. @returns {Cut} */
  cut(network) {
    const { axis, index } = this.state.slice;
    const key = network.grid.length > 2 ? `${axis} ${index}` : "";
    if (this.cuts.get(network.id)?.key !== key) {
      this.cuts.set(network.id, { key, cut: cutOf(network.grid, this.state.slice) });
    }
    return this.cuts.get(network.id).cut;
  }

  /** The living atoms of a pane in the order and through the filters of the state. @returns {Uint32Array} */
  order(place = 0) {
    const { atoms, effects, signal } = this.scene(place);
    if (!atoms) return new Uint32Array();
    const { by, descending, filters } = this.state;
    const key = JSON.stringify([atoms.about.id, effects ? signal.head : null, by, descending, filters]);
    if (this.orders.get(place)?.key !== key) {
      this.orders.set(place, { key, atoms: ordered(atoms, effects, this.state) });
    }
    return this.orders.get(place).atoms;
  }

  /** Shows an atom in a pane. */
  pick(atom, place = 0) {
    this.setPane(place, { atom });
  }

  /** Goes `by` places through the order. */
  step(by) {
    const order = this.order();
    if (!order.length) return;
    const at = order.indexOf(this.state.panes[0].atom);
    this.pick(order[at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + by))]);
  }

  /** Sets an atom's gain; null takes the atom off the list. */
  gain(atom, gain, place = 0) {
    const gains = { ...this.state.panes[place].gains };
    if (gain === null) delete gains[atom];
    else gains[atom] = gain;
    this.setPane(place, { gains });
  }

  /** Loads what the panes show; every arrival is told as "loaded". A fault is told as "fault", in `app.fault`. */
  load() {
    for (const [place, pane] of this.state.panes.entries()) {
      if (place > 0 && this.state.view !== "compare") continue;
      const network = this.networkOf(pane.network);
      const signal = network.signals.find((one) => one.head === pane.head);
      this.once(`${network.id} ${pane.head}`, () => this.readPicture(signal));
      const dictionary = this.dictionaryOf(pane);
      if (!dictionary) continue;
      const atoms = this.once(dictionary.id, () => this.readAtoms(network, dictionary));
      const about = dictionary.effects.find((one) => one.head === pane.head);
      if (about) {
        this.once(`${dictionary.id} ${pane.head}`, async () => this.readEffects(await atoms, about, network.channels));
      }
    }
    this.forget();
  }

  once(key, read) {
    const known = this.loaded.get(key);
    if (known) {
      // The last ones asked for stand last, so that the first are forgotten first.
      this.loaded.delete(key);
      this.loaded.set(key, known);
      return known.promise;
    }
    const entry = { value: null, failed: false, promise: read() };
    this.loaded.set(key, entry);
    entry.promise.then(
      (value) => {
        entry.value = value;
        this.tell("loaded");
      },
      (fault) => {
        entry.failed = true;
        this.fail(fault);
      },
    );
    return entry.promise;
  }

  /** What could not be loaded may be asked for again. */
  retry() {
    for (const [key, { failed }] of this.loaded) if (failed) this.loaded.delete(key);
  }

  fail(fault) {
    this.fault = fault;
    this.tell("fault");
  }

  /** Lets go of dictionaries that have not been shown for the longest time. */
  forget() {
    const shown = new Set(this.state.panes.map((pane) => pane.dictionary));
    const ids = [...this.loaded.keys()].filter((key) => this.loaded.get(key).value instanceof Atoms && !shown.has(key));
    for (const id of ids.slice(0, Math.max(0, ids.length - KEPT))) {
      const dictionary = this.loaded.get(id).value.about;
      for (const key of [...this.loaded.keys()]) if (key === id || key.startsWith(`${id} `)) this.loaded.delete(key);
      const names = [dictionary.rows, dictionary.decoder, ...dictionary.effects.map((one) => one.delta)];
      for (const { file } of names) this.bundle.files.delete(file);
    }
  }

  async readPicture(signal) {
    const [target, output] = await Promise.all([this.bundle.array(signal.target), this.bundle.array(signal.output)]);
    const values = Float32Array.from(target, signal.target.type === "uint8" ? (v) => v / 255 : undefined);
    // What a mask leaves out is not a number from here on: it is hatched and counts in no error.
    const used = signal.used && (await this.bundle.array(signal.used));
    const channels = used ? values.length / used.length : 0;
    used?.forEach((one, row) => one || values.fill(NaN, row * channels, (row + 1) * channels));
    return { target: values, output };
  }

  async readAtoms(network, dictionary) {
    const [starts, rows, codes, ...numbers] = await Promise.all([
      this.bundle.array(dictionary.starts),
      this.bundle.array(dictionary.rows),
      this.bundle.array(dictionary.codes),
      ...Object.values(dictionary.numbers).map((about) => this.bundle.array(about)),
    ]);
    const named = Object.fromEntries(Object.keys(dictionary.numbers).map((name, i) => [name, numbers[i]]));
    return new Atoms(dictionary, { starts, rows, codes, numbers: named }, size(network.grid));
  }

  async readEffects(atoms, about, channels) {
    const [delta, ...numbers] = await Promise.all([
      this.bundle.raw(about.delta),
      ...Object.values(about.numbers).map((one) => this.bundle.array(one)),
    ]);
    const named = Object.fromEntries(Object.keys(about.numbers).map((name, i) => [name, numbers[i]]));
    return new Effects(atoms, delta, named, channels);
  }

  /** The edited picture of a pane: `{output, done, total, coarse, psnr}`, or null where no gain is set. */
  edited(place = 0) {
    const edit = this.edits[place];
    const now = this.state.panes[place];
    // A picture of other gains stays until the next one comes, a picture of something else does not.
    const own = edit && STEPS.every((name) => edit.pane[name] === now[name]);
    return own ? edit : null;
  }

  /** Computes the picture for a pane's gains; "edited" is told at every step. */
  async edit(place) {
    const pane = this.state.panes[place];
    const gains = Object.entries(pane.gains).map(([atom, gain]) => [Number(atom), gain]);
    const changed = gains.filter(([, gain]) => gain !== 1);
    // What an older edit still computes is of no use any more.
    this.runners[place]?.stop();
    this.halted[place] = false;
    if (!gains.length) {
      this.edits[place] = null;
      this.tell("edited");
      return;
    }
    const current = () => this.state.panes[place] === pane || same(this.state.panes[place], pane);
    try {
      const network = this.networkOf(pane.network);
      const dictionary = this.dictionaryOf(pane);
      const needed = [this.loaded.get(`${network.id} ${pane.head}`), dictionary && this.loaded.get(dictionary.id)];
      // The second pane is loaded when it is looked at.
      if (!needed.every(Boolean)) return;
      const [{ target, output }, atoms] = await Promise.all(needed.map((one) => one.promise));
      const effects = this.loaded.get(`${dictionary.id} ${pane.head}`)?.value;
      if (!current()) return;
      const finish = (step) => {
        if (!current()) return;
        this.edits[place] = { ...step, pane, psnr: psnr(step.output, target) };
        this.tell("edited");
      };
      const exact = { done: 1, total: 1, coarse: false };
      if (!changed.length) return finish({ ...exact, output });
      if (changed.length === 1 && changed[0][1] === 0 && effects) {
        return finish({ ...exact, output: effects.without(changed[0][0], output) });
      }
      const request = await this.request(network, dictionary, pane, atoms, output, changed);
      if (current()) await this.runner(place).edit(request, finish);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (current()) [this.halted[place], this.edits[place]] = [true, null];
      this.fail(fault);
    }
  }

  async request(network, dictionary, pane, atoms, output, changed) {
    const fault = refusal(network, dictionary.layer);
    if (fault) throw new Error(fault);
    const signal = network.signals.find((one) => one.head === pane.head);
    const width = dictionary.decoder.shape[1];
    const [weights, weight, bias, ...directions] = await Promise.all([
      this.weights(network),
      this.bundle.array(signal.weight),
      this.bundle.array(signal.bias),
      ...changed.map(([atom]) => this.bundle.slice(dictionary.decoder, atom * width, (atom + 1) * width)),
    ]);
    const edits = changed.map(([atom, gain], i) => ({ gain, ...atoms.entries(atom), direction: directions[i] }));
    const head = { id: `${network.id} ${pane.head}`, weight, bias };
    return { network: weights, layer: dictionary.layer, head, output, atoms: edits };
  }

  /** The workers of a pane. */
  runner(place) {
    this.workerUrl ??= workerUrl();
    this.runners[place] ??= createRunner({ workerUrl: this.workerUrl });
    return this.runners[place];
  }

  /** Computes, when nothing else has been asked for a while, what the first edit of pane 0 would begin with. */
  prepare() {
    clearTimeout(this.preparing);
    this.preparing = setTimeout(async () => {
      const pane = this.state.panes[0];
      const dictionary = this.dictionaryOf(pane);
      if (!dictionary || pane.atom === null || this.state.view !== "atoms") return;
      // An edit tells what is wrong where this fails.
      const network = this.networkOf(pane.network);
      if (refusal(network, dictionary.layer)) return;
      await this.weights(network)
        .then((weights) => this.runner(0).warm(weights, dictionary.layer))
        .catch(() => {});
    }, QUIET);
  }

  /** A network's weights in the form that the runner takes. */
  weights(network) {
    return this.once(`${network.id} weights`, async () => {
      const { id, name, grid, channels, coordinate_range = [-1, 1] } = network;
      const layers = await Promise.all(
        network.layers.map(async ({ weight, bias, scale, nonlinearity, parameters }) => ({
          weight: await this.bundle.array(weight),
          bias: await this.bundle.array(bias),
          scale,
          nonlinearity,
          parameters,
          width: weight.shape[0],
          inputs: weight.shape[1],
        })),
      );
      const frequencies = network.encoding && (await this.bundle.array(network.encoding.frequencies));
      const encoding = network.encoding && { ...network.encoding, frequencies };
      return { id, name, grid, channels, coordinate_range, encoding, layers };
    });
  }

  /** Puts the state into the address, a little later. */
  remember() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.write();
    }, ADDRESS_PAUSE);
  }

  /** Starts a new entry of the browser's history: what is seen now is what Back comes to. */
  leave() {
    this.write();
    if (performance.now() - this.left < AGAIN) return;
    this.left = performance.now();
    history.pushState(null, "", location.hash);
  }

  write() {
    history.replaceState(null, "", `#${toHash(this.state)}`);
  }

  restore() {
    clearTimeout(this.timer);
    this.state = fromHash(location.hash.slice(1), this.manifest);
    this.hover = null;
    this.retry();
    this.load();
    this.state.panes.forEach((_, place) => this.edit(place));
    this.tell(...Object.keys(this.state), "pane", "atom", "gains");
  }

  /** The link to what is seen. */
  link() {
    return `${location.href.split("#")[0]}#${toHash(this.state)}`;
  }
}

function same(a, b) {
  return a.network === b.network && a.head === b.head && a.dictionary === b.dictionary && a.gains === b.gains;
}

/** Where workers start from: a file beside the page, or text inside it. */
function workerUrl() {
  const inside = document.getElementById("worker");
  if (!inside) return new URL("page/compute/worker.js", document.baseURI).href;
  return URL.createObjectURL(new Blob([inside.textContent], { type: "text/javascript" }));
}

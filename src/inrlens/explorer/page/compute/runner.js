/** The rest of a network after an edit, computed by workers while the page stays free. */
import { editMessage, editOfLast, editReceiver, place } from "inrlens/compute/edit.js";
import { compileKernel, OUTPUTS, ROWS } from "inrlens/compute/kernel.js";
import { NUMBERS } from "inrlens/compute/nonlinearities.js";
import { coarseRows, linesOf, shareRows, touchedRows } from "inrlens/compute/rows.js";

/**
 * @typedef {{weight: Float32Array, bias: Float32Array, scale: number, nonlinearity: string,
 *   parameters: Object<string, number>, width: number, inputs: number}} Layer `h = phi(scale (W h' + b))`, weight
 *   `(width, inputs)`, bias `(width)`; phi by its name and parameters
 * @typedef {{id: string, name: string, grid: number[], channels: number,
 *   encoding: ?{kind: string, frequencies: ?Float32Array}, layers: ?Layer[]}} Network
 *   frequencies B `(F, m)` in cycles per unit of a coordinate; layers are null where nobody knows them
 * @typedef {{id: string, weight: Float32Array, bias: Float32Array}} Head weight `(c, d)`, bias `(c)`
 * @typedef {{gain: number, rows: Uint32Array|Uint16Array, codes: Float32Array, direction: Float32Array}} EditedAtom
 *   where it fires, its codes there, and its decoder row `(d)`
 * @typedef {{network: Network, layer: number, head: Head, output: Float32Array, atoms: EditedAtom[]}} Edit
 *   output `(N, c)` without the edit
 * @typedef {{output: Float32Array, done: number, total: number, coarse: boolean}} Step output `(N, c)`; rows computed,
 *   rows touched; coarse after the first pass
 */

/** What a promise rejects with that a newer edit, or closing, has put aside. */
function aborted() {
  const error = new Error("Something newer has taken the place of this.");
  error.name = "AbortError";
  return error;
}

const PYTHON = "edit it in Python, with inrlens.edit";

/**
 * Why this page cannot run a network after a layer.
 *
 * @param {{name: string, encoding: ?{kind: string}, layers: ?{nonlinearity: string}[]}} network
 * @param {number} layer
 * @returns {?string} one sentence, null where it can
 */
export function refusal({ name, encoding, layers }, layer) {
  const who = `Network ${name}`;
  if (layers === null) return `${who} has layers that this page does not know: ${PYTHON}.`;
  if (encoding && encoding.kind !== "fourier") {
    return `${who} has the encoding "${encoding.kind}", which this page cannot run: ${PYTHON}.`;
  }
  const strange = layers.find(({ nonlinearity }) => !Object.keys(NUMBERS).includes(nonlinearity));
  if (strange) return `${who} has the nonlinearity "${strange.nonlinearity}", which this page cannot run: ${PYTHON}.`;
  if (layer >= 0 && layer < layers.length) return null;
  return `${who} has no layer ${layer}: choose one of 0 to ${layers.length - 1}.`;
}

/** Throws that sentence. */
function check(network, layer) {
  const sentence = refusal(network, layer);
  if (sentence !== null) throw new Error(sentence);
}

class Runner {
  #url;
  #count;
  #workers = [];
  #ready = null;
  #closed = false;
  #sent = new Set();
  #used = null;
  #jobs = new Map();
  #edit = null;
  #warm = null;
  #number = 0;

  constructor(count, url) {
    this.#count = count;
    this.#url = url;
  }

  /** Starts the workers, once. */
  #start() {
    this.#ready ??= compileKernel().then((module) => {
      if (this.#closed) throw aborted();
      this.#workers = Array.from({ length: this.#count }, (_, index) => {
        const worker = new Worker(this.#url);
        worker.onmessage = ({ data }) => this.#receive(index, data);
        const sentence = "The script that computes edits did not start: reload the page.";
        worker.onerror = () => this.#fail(new Error(sentence));
        worker.postMessage({ kind: "start", module, rows: ROWS, outputs: OUTPUTS });
        return worker;
      });
    });
    return this.#ready;
  }

  #post(message) {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #send(network) {
    if (this.#sent.has(network.id)) return;
    this.#sent.add(network.id);
    const layers = network.layers.map(({ parameters, ...layer }) => {
      return { ...layer, numbers: NUMBERS[layer.nonlinearity](parameters) };
    });
    this.#post({ kind: "network", network: { ...network, layers } });
  }

  #keep(network, layer) {
    this.#send(network);
    const key = `${network.id} ${layer}`;
    if (this.#used === key) return;
    this.#used = key;
    this.#endWarm(false);
    this.#post({ kind: "keep", network: network.id, layer });
  }

  #endWarm(whole) {
    const job = this.#warm;
    if (job === null) return;
    this.#warm = null;
    this.#jobs.delete(job.id);
    job.resolve(whole);
  }

  /** Puts a job on the list; its promise settles through `resolve` and `reject`. */
  #job(fields) {
    this.#number += 1;
    const job = { id: this.#number, ...fields };
    this.#jobs.set(job.id, job);
    return job;
  }

  #receive(worker, data) {
    const job = this.#jobs.get(data.job);
    if (!job) return;
    if (data.failed) {
      this.#jobs.delete(job.id);
      job.reject(new Error(data.failed));
    } else {
      job.receive(worker, data);
    }
  }

  #fail(error) {
    for (const job of this.#jobs.values()) job.reject(error);
    this.#jobs.clear();
    this.#ready = Promise.reject(error);
    this.#ready.catch(() => {});
  }

  /**
   * Says which network and layer the next edits are of; what was kept of another one is dropped.
   *
   * @param {Network} network its arrays are sent to the workers once an id
   * @param {number} layer
   */
  use(network, layer) {
    check(network, layer);
    this.#start().then(
      () => this.#keep(network, layer),
      () => {},
    );
  }

  /**
   * One head's picture under an edit. Only rows where an edited atom fires are computed; a newer edit puts an older one
   * aside, whose promise then rejects with an AbortError and whose steps no longer come.
   *
   * @param {Edit} edit
   * @param {function(Step): void} [onStep] a coarse picture, then finer ones, some ten a second, then the exact one
   * @returns {Promise<Float32Array>} `(N, c)`, unclamped
   */
  edit(edit, onStep = () => {}) {
    this.stop();
    return new Promise((resolve, reject) => {
      const job = this.#job({ kind: "edit", resolve, reject, receive: () => {} });
      this.#edit = job;
      this.#beginEdit(job, edit, onStep).catch((error) => {
        this.#jobs.delete(job.id);
        reject(error);
      });
    });
  }

  /** Puts the current edit aside, if there is one, as a newer one would. */
  stop() {
    const job = this.#edit;
    this.#edit = null;
    if (job === null || !this.#jobs.delete(job.id)) return;
    job.reject(aborted());
    this.#post({ kind: "edit", rows: new Uint32Array(0) });
  }

  async #beginEdit(job, { network, layer, head, output, atoms }, onStep) {
    check(network, layer);
    const wrong = atoms.find(({ gain }) => !Number.isFinite(gain));
    if (wrong) throw new Error(`A gain must be a finite number, not ${wrong.gain}.`);
    const lines = linesOf(network.grid);
    const touched = touchedRows(atoms, lines[0] * lines[1]);
    const total = touched.rows.length;
    const finish = (picture) => {
      this.#jobs.delete(job.id);
      onStep({ output: picture, done: total, total, coarse: false });
      job.resolve(picture);
    };
    if (total === 0 || layer === network.layers.length - 1) {
      await null;
      if (this.#edit === job) finish(editOfLast(head, output, touched));
      return;
    }
    await this.#start();
    if (this.#edit !== job) return;
    this.#keep(network, layer);
    const first = coarseRows(touched.rows, lines);
    const shares = shareRows(touched.rows, lines[1], this.#count, first);
    const directions = new Float32Array(touched.edited.length * network.layers[layer].width);
    touched.edited.forEach(({ direction }, atom) => directions.set(direction, atom * direction.length));
    job.receive = editReceiver({ shares, touched, output, lines, onStep, finish });
    shares.forEach((share, index) => {
      const message = editMessage(share, touched, directions);
      this.#workers[index].postMessage({ ...message, job: job.id, head });
    });
  }

  /**
   * The whole picture of a head.
   *
   * @param {{network: Network, head: Head}} request
   * @returns {Promise<Float32Array>} `(N, c)`, unclamped
   */
  async render({ network, head }) {
    check(network, 0);
    await this.#start();
    this.#send(network);
    const shares = this.#allRows(network);
    const picture = new Float32Array(shares.reduce((sum, { rows }) => sum + rows.length, 0) * network.channels);
    return new Promise((resolve, reject) => {
      let left = picture.length / network.channels;
      const job = this.#job({ kind: "render", resolve, reject });
      job.receive = (worker, { from, values }) => {
        left -= place(picture, network.channels, shares[worker].rows, from, values);
        if (left > 0) return;
        this.#jobs.delete(job.id);
        resolve(picture);
      };
      shares.forEach(({ rows }, index) => {
        if (rows.length === 0) return;
        this.#workers[index].postMessage({ kind: "render", job: job.id, network: network.id, head, rows });
      });
    });
  }

  /**
   * Computes ahead, when nothing else is wanted, what every edit of a layer begins with.
   *
   * @param {Network} network
   * @param {number} layer
   * @returns {Promise<boolean>} true when all of it is there, false where another layer came in between
   */
  async warm(network, layer) {
    check(network, layer);
    if (layer === network.layers.length - 1) return true;
    await this.#start();
    this.#keep(network, layer);
    this.#endWarm(false);
    const shares = this.#allRows(network).map(({ rows }) => rows);
    return new Promise((resolve, reject) => {
      let left = shares.filter((rows) => rows.length > 0).length;
      const job = this.#job({ kind: "warm", resolve, reject });
      this.#warm = job;
      job.receive = () => {
        left -= 1;
        if (left === 0) this.#endWarm(true);
      };
      shares.forEach((rows, index) => {
        if (rows.length > 0) this.#workers[index].postMessage({ kind: "warm", job: job.id, rows });
      });
    });
  }

  #allRows({ grid }) {
    const [height, width] = linesOf(grid);
    return shareRows(
      Uint32Array.from({ length: height * width }, (_, row) => row),
      width,
      this.#count,
    );
  }

  /** Ends the workers; what is still open rejects with an AbortError. */
  close() {
    this.#closed = true;
    for (const worker of this.#workers) worker.terminate();
    this.#fail(aborted());
  }
}

/**
 * A runner; its workers start with the first thing that it is asked.
 *
 * @param {{workers?: number, workerUrl: string}} options workerUrl: where worker.js is (or a blob: URL of it)
 * @returns {Runner}
 */
export function createRunner({ workers = Math.min(4, navigator.hardwareConcurrency || 2), workerUrl }) {
  return new Runner(workers, workerUrl);
}

// A dictionary's atoms over one grid, and what they do to one signal: sparse, in the order of the bundle's files.

import { halves } from "inrlens/model/halves.js";

/** All (atom, row) pairs that fire, by atom and, through an index, by row. */
export class Atoms {
  /**
   * @param {Object} about the manifest's entry of the dictionary
   * @param {{starts: Uint32Array, rows: Uint16Array|Uint32Array, codes: Float32Array, numbers: Object}} arrays
   * @param {number} points N, the coordinates of the grid
   */
  constructor(about, { starts, rows, codes, numbers }, points) {
    this.about = about;
    this.n = about.n_atoms;
    this.starts = starts;
    this.rows = rows;
    this.codes = codes;
    this.numbers = numbers;
    this.points = points;
    this.tops = new Float32Array(this.n);
    for (let atom = 0; atom < this.n; atom += 1) {
      for (let entry = starts[atom]; entry < starts[atom + 1]; entry += 1) {
        if (codes[entry] > this.tops[atom]) this.tops[atom] = codes[entry];
      }
    }
    this.index();
  }

  /** For every row, where its entries are: one counting sort. */
  index() {
    const { starts, rows, n, points } = this;
    this.rowStarts = new Uint32Array(points + 1);
    for (let entry = 0; entry < rows.length; entry += 1) this.rowStarts[rows[entry] + 1] += 1;
    for (let row = 0; row < points; row += 1) this.rowStarts[row + 1] += this.rowStarts[row];
    const next = this.rowStarts.slice(0, points);
    this.rowEntries = new Uint32Array(rows.length);
    this.rowAtoms = new Uint32Array(rows.length);
    for (let atom = 0; atom < n; atom += 1) {
      for (let entry = starts[atom]; entry < starts[atom + 1]; entry += 1) {
        const place = next[rows[entry]]++;
        this.rowEntries[place] = entry;
        this.rowAtoms[place] = atom;
      }
    }
  }

  /** Number of rows where an atom fires; 0 for a dead one. */
  count(atom) {
    return this.starts[atom + 1] - this.starts[atom];
  }

  /** An atom's largest code. */
  top(atom) {
    return this.tops[atom];
  }

  /** Where an atom fires, without a copy. @returns {{rows: Uint16Array|Uint32Array, codes: Float32Array}} */
  entries(atom) {
    const [first, last] = [this.starts[atom], this.starts[atom + 1]];
    return { rows: this.rows.subarray(first, last), codes: this.codes.subarray(first, last) };
  }

  /** The atoms of one row, largest code first. @returns {{atom: number, code: number, entry: number}[]} */
  at(row) {
    const found = [];
    for (let place = this.rowStarts[row]; place < this.rowStarts[row + 1]; place += 1) {
      const entry = this.rowEntries[place];
      found.push({ atom: this.rowAtoms[place], code: this.codes[entry], entry });
    }
    return found.sort((a, b) => b.code - a.code || a.atom - b.atom);
  }

  /** An atom's code at a row, 0 where it does not fire. */
  code(atom, row) {
    let [low, high] = [this.starts[atom], this.starts[atom + 1]];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle] < row) low = middle + 1;
      else high = middle;
    }
    return low < this.starts[atom + 1] && this.rows[low] === row ? this.codes[low] : 0;
  }
}

/** What every atom does to one signal: Delta_a(x) = f(x) - f without a (x), beside the entries of `Atoms`. */
export class Effects {
  /**
   * @param {Atoms} atoms
   * @param {Uint16Array|Float32Array} delta (entries * channels), halves or floats
   * @param {Object} numbers Float32Array (n) by name
   * @param {number} channels
   */
  constructor(atoms, delta, numbers, channels) {
    this.atoms = atoms;
    this.delta = delta;
    this.numbers = numbers;
    this.channels = channels;
    this.known = delta instanceof Uint16Array ? halves() : null;
  }

  /** One number of `delta`. */
  value(place) {
    return this.known ? this.known[this.delta[place]] : this.delta[place];
  }

  /** The size of an entry's effect: the mean over channels of |Delta|. */
  size(entry) {
    let sum = 0;
    for (let c = 0; c < this.channels; c += 1) sum += Math.abs(this.value(entry * this.channels + c));
    return sum / this.channels;
  }

  /**
   * The sizes of an atom's effect, beside `atoms.entries(atom).rows`.
   * @returns {{rows: Uint16Array|Uint32Array, sizes: Float32Array, top: number}}
   */
  sizes(atom) {
    const first = this.atoms.starts[atom];
    const { rows } = this.atoms.entries(atom);
    const sizes = new Float32Array(rows.length);
    let top = 0;
    for (let i = 0; i < rows.length; i += 1) {
      sizes[i] = this.size(first + i);
      if (sizes[i] > top) top = sizes[i];
    }
    return { rows, sizes, top };
  }

  /**
   * The picture without one atom.
   * @param {number} atom
   * @param {Float32Array} output (N * channels), which stays as it is
   * @returns {Float32Array}
   */
  without(atom, output) {
    const { rows } = this.atoms.entries(atom);
    const first = this.atoms.starts[atom] * this.channels;
    const out = output.slice();
    for (let i = 0; i < rows.length; i += 1) {
      for (let c = 0; c < this.channels; c += 1) {
        out[rows[i] * this.channels + c] -= this.value(first + i * this.channels + c);
      }
    }
    return out;
  }
}

/**
 * PSNR in dB of a picture clamped to [0, 1] against its target, over the samples whose target is a number.
 * @param {Float32Array} output
 * @param {Float32Array} target
 */
export function psnr(output, target) {
  let sum = 0;
  let used = 0;
  for (let i = 0; i < output.length; i += 1) {
    if (Number.isNaN(target[i])) continue;
    const off = Math.min(1, Math.max(0, output[i])) - target[i];
    sum += off * off;
    used += 1;
  }
  return -10 * Math.log10(sum / used);
}

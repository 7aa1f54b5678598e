/**
 * The rows that an edit touches: which atoms fire there, in which order they are computed, and what stands in for those
 * that are not computed yet.
 */

/** Sides of the cells of which the first pass computes one row each. */
const CELL = 4;

/**
 * A grid of any number of axes as lines below each other: which rows are computed first is decided over these.
 *
 * @param {number[]} grid its sides
 * @returns {[number, number]} how many lines, and how long each is: the last side
 */
export function linesOf(grid) {
  const width = grid[grid.length - 1];
  return [grid.reduce((product, side) => product * side, 1) / width, width];
}

/**
 * The (atom, row) pairs of an edit by row. Atoms with gain 1 are left out.
 *
 * @param {{gain: number, rows: ArrayLike<number>, codes: ArrayLike<number>}[]} atoms
 * @param {number} count rows N of the grid
 * @returns {{rows: Uint32Array, starts: Uint32Array, atoms: Uint32Array, factors: Float32Array, edited: Object[]}}
 *   touched rows, ascending; the entries of row i are starts[i] .. starts[i + 1], with an index into `edited` (the
 *   atoms that are left) and the factor (gain - 1) z_a(x)
 */
export function touchedRows(atoms, count) {
  const edited = atoms.filter(({ gain, rows }) => gain !== 1 && rows.length > 0);
  const ends = new Uint32Array(count);
  for (const { rows } of edited) for (let e = 0; e < rows.length; e += 1) ends[rows[e]] += 1;
  const rows = new Uint32Array(ends.reduce((sum, entries) => sum + (entries > 0 ? 1 : 0), 0));
  const starts = new Uint32Array(rows.length + 1);
  let place = 0;
  for (let row = 0; row < count; row += 1) {
    if (ends[row] === 0) continue;
    rows[place] = row;
    starts[place + 1] = starts[place] + ends[row];
    ends[row] = starts[place];
    place += 1;
  }
  const atomOf = new Uint32Array(starts[rows.length]);
  const factors = new Float32Array(starts[rows.length]);
  edited.forEach(({ gain, rows: fires, codes }, atom) => {
    for (let e = 0; e < fires.length; e += 1) {
      const at = ends[fires[e]]++;
      atomOf[at] = atom;
      factors[at] = (gain - 1) * codes[e];
    }
  });
  return { rows, starts, atoms: atomOf, factors, edited };
}

/**
 * Which touched rows come first: of every cell of 4 x 4 the one nearest to its middle, at most a quarter of all.
 *
 * @param {Uint32Array} rows touched rows, ascending
 * @param {[number, number]} lines as `linesOf` gives them
 * @returns {Uint8Array} 1 for the rows of the first pass, `(rows)`
 */
export function coarseRows(rows, [height, width]) {
  const across = Math.ceil(width / CELL);
  const best = new Int32Array(across * Math.ceil(height / CELL)).fill(-1);
  const away = (row) => {
    const y = Math.floor(row / width);
    const middle = (CELL - 1) / 2;
    return ((y % CELL) - middle) ** 2 + (((row - y * width) % CELL) - middle) ** 2;
  };
  rows.forEach((row, place) => {
    const y = Math.floor(row / width);
    const cell = Math.floor(y / CELL) * across + Math.floor((row - y * width) / CELL);
    if (best[cell] < 0 || away(row) < away(rows[best[cell]])) best[cell] = place;
  });
  const found = best.filter((place) => place >= 0);
  const wanted = Math.min(found.length, Math.ceil(rows.length / 4));
  const first = new Uint8Array(rows.length);
  for (let i = 0; i < wanted; i += 1) first[found[Math.floor((i * found.length) / wanted)]] = 1;
  return first;
}

/**
 * Shares rows over the workers, always the same rows to the same one: runs of 8, shifted from line to line, so that a
 * small or narrow patch of the picture keeps all of them busy.
 *
 * @param {Uint32Array} rows
 * @param {number} width of the grid
 * @param {number} workers
 * @param {Uint8Array} [first] 1 for the rows that lead
 * @returns {{places: Uint32Array, rows: Uint32Array, coarse: number}[]} a worker's rows and their places in `rows`;
 *   the leading ones, `coarse` of them, first
 */
export function shareRows(rows, width, workers, first = new Uint8Array(rows.length)) {
  const shares = Array.from({ length: workers }, () => [[], []]);
  rows.forEach((row, place) => {
    const y = Math.floor(row / width);
    shares[(((row - y * width) >> 3) + y) % workers][first[place] ? 0 : 1].push(place);
  });
  return shares.map(([lead, others]) => {
    const places = Uint32Array.from([...lead, ...others]);
    return { places, rows: places.map((place) => rows[place]), coarse: lead.length };
  });
}

/**
 * A picture in which touched rows that are not computed yet take the change of the nearest computed row of their cell;
 * they stay as they were where it has none.
 *
 * @param {Float32Array} picture `(N, c)`, edited where `computed`
 * @param {Float32Array} output `(N, c)`, unedited
 * @param {Uint32Array} rows touched rows
 * @param {Uint8Array} computed 1 for touched rows that are computed, `(N)`
 * @param {[number, number]} lines as `linesOf` gives them
 * @returns {Float32Array} `(N, c)`, new
 */
export function standIn(picture, output, rows, computed, [height, width]) {
  const shown = picture.slice();
  const channels = picture.length / (height * width);
  for (const row of rows) {
    if (computed[row]) continue;
    const near = nearest(row, computed, height, width);
    if (near < 0) continue;
    for (let c = 0; c < channels; c += 1) {
      shown[row * channels + c] += picture[near * channels + c] - output[near * channels + c];
    }
  }
  return shown;
}

/** The computed row of the same cell that is nearest to `row`, -1 without one. */
function nearest(row, computed, height, width) {
  const y = Math.floor(row / width);
  const x = row - y * width;
  const [top, left] = [y - (y % CELL), x - (x % CELL)];
  let [found, least] = [-1, Infinity];
  for (let v = top; v < Math.min(top + CELL, height); v += 1) {
    for (let u = left; u < Math.min(left + CELL, width); u += 1) {
      const away = (v - y) ** 2 + (u - x) ** 2;
      if (away >= least || !computed[v * width + u]) continue;
      [found, least] = [v * width + u, away];
    }
  }
  return found;
}

/** An edit's way to the workers and back: what each is sent, and the pictures that come of what they answer. */
import { standIn } from "inrlens/compute/rows.js";

/** Milliseconds between two pictures of one edit. */
const PACE = 100;

/**
 * The edit after the last layer: only the head follows, so that atom a adds (gain - 1) z_a W_head w_a to the output.
 *
 * @param {{weight: Float32Array, bias: Float32Array}} head weight `(c, d)`
 * @param {Float32Array} output `(N, c)` without the edit
 * @param {Object} touched what `touchedRows` gives
 * @returns {Float32Array} `(N, c)`
 */
export function editOfLast(head, output, touched) {
  const channels = head.bias.length;
  const picture = output.slice();
  const reach = touched.edited.map(({ direction }) =>
    Float32Array.from({ length: channels }, (_, c) =>
      direction.reduce((sum, value, i) => sum + value * head.weight[c * direction.length + i], 0),
    ),
  );
  touched.rows.forEach((row, place) => {
    for (let entry = touched.starts[place]; entry < touched.starts[place + 1]; entry += 1) {
      for (let c = 0; c < channels; c += 1) {
        picture[row * channels + c] += touched.factors[entry] * reach[touched.atoms[entry]][c];
      }
    }
  });
  return picture;
}

/**
 * One worker's part of an edit, as the message that it is sent.
 *
 * @param {{places: Uint32Array, rows: Uint32Array, coarse: number}} share the worker's rows, of `shareRows`
 * @param {Object} touched what `touchedRows` gives
 * @param {Float32Array} directions decoder rows of the edited atoms, `(atoms, d)`
 * @returns {Object}
 */
export function editMessage(share, touched, directions) {
  const starts = new Uint32Array(share.places.length + 1);
  share.places.forEach((place, i) => {
    starts[i + 1] = starts[i] + touched.starts[place + 1] - touched.starts[place];
  });
  const atoms = new Uint32Array(starts[share.places.length]);
  const factors = new Float32Array(atoms.length);
  share.places.forEach((place, i) => {
    const [from, to] = [touched.starts[place], touched.starts[place + 1]];
    atoms.set(touched.atoms.subarray(from, to), starts[i]);
    factors.set(touched.factors.subarray(from, to), starts[i]);
  });
  return { kind: "edit", rows: share.rows, coarse: share.coarse, starts, atoms, factors, directions };
}

/**
 * Writes a tile's outputs `values` to the rows `rows[from]`, `rows[from + 1]` .. of a picture.
 *
 * @returns {number} how many rows
 */
export function place(picture, channels, rows, from, values) {
  const count = values.length / channels;
  for (let r = 0; r < count; r += 1) {
    for (let c = 0; c < channels; c += 1) picture[rows[from + r] * channels + c] = values[r * channels + c];
  }
  return count;
}

/**
 * What takes the tiles of an edit and shows its pictures: a coarse one, finer ones at a calm pace, and the exact one,
 * which goes to `finish`.
 *
 * @returns {function(number, {from: number, values: Float32Array}): void} for the tile of a worker
 */
export function editReceiver({ shares, touched, output, lines, onStep, finish }) {
  const total = touched.rows.length;
  const channels = output.length / (lines[0] * lines[1]);
  const picture = output.slice();
  const computed = new Uint8Array(lines[0] * lines[1]);
  let coarseLeft = shares.reduce((sum, { coarse }) => sum + coarse, 0);
  let done = 0;
  let shown = -Infinity;
  const show = (coarse) => {
    shown = performance.now();
    onStep({ output: standIn(picture, output, touched.rows, computed, lines), done, total, coarse });
  };
  return (worker, { from, values }) => {
    const { rows, coarse } = shares[worker];
    const count = place(picture, channels, rows, from, values);
    for (let r = from; r < from + count; r += 1) computed[rows[r]] = 1;
    done += count;
    if (from < coarse) {
      coarseLeft -= count;
      if (coarseLeft === 0 && done < total) show(true);
    } else if (done < total && coarseLeft === 0 && performance.now() - shown >= PACE) {
      show(false);
    }
    if (done === total) finish(picture);
  };
}

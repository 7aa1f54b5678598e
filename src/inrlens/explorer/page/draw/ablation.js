// What an atom's removal looks like, and what many atoms' maps look like together.

import { denseImage, difference, mapImage, valuesImage } from "inrlens/draw/seen.js";
import { psnr } from "inrlens/model/atoms.js";

/**
 * What an atom's removal does to a pane's signal; `lost`, `without` and `effect` are null where that is not known.
 * @param {import("inrlens/model/app.js").Scene} scene with `atoms` loaded
 * @returns {{map: ImageData, without: ImageData|null, effect: ImageData|null, before: number, after: number,
 *   lost: number|null}}
 */
export function ablation({ network, cut, target, output, atoms, effects }, atom) {
  const { channels } = network;
  const { rows, codes } = atoms.entries(atom);
  const map = mapImage(rows, codes, atoms.top(atom), cut, output && { values: output, channels });
  if (!effects || !output) return { map, without: null, effect: null, before: NaN, after: NaN, lost: null };
  const left = effects.without(atom, output);
  const { sizes, top } = effects.sizes(atom);
  return {
    map,
    without: valuesImage(left, cut, channels),
    effect: mapImage(rows, sizes, top, cut, difference(output, left, cut, channels)),
    before: psnr(output, target),
    after: psnr(left, target),
    lost: effects.numbers.psnr_drop[atom],
  };
}

/** The mean of atoms' maps, scaled to its own largest value. @returns {ImageData} */
export function meanMap(atoms, chosen, cut) {
  const sums = new Float32Array(cut.points);
  for (const atom of chosen) {
    const { rows, codes } = atoms.entries(atom);
    for (let i = 0; i < rows.length; i += 1) sums[rows[i]] += codes[i] / chosen.length;
  }
  return denseImage(
    sums,
    sums.reduce((top, value) => Math.max(top, value), 0),
    cut,
  );
}

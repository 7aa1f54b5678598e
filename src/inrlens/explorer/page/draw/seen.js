// Values and maps over a grid as the images that people see: pictures, slices of volumes, sounds over time.

import { denseHeat, heatImage, pictureImage, show, thumbnail } from "inrlens/draw/raster.js";
import { barsImage, smallBars, soundImage } from "inrlens/draw/sound.js";

/** Values in [0, 1]. @param {Float32Array} values (N * channels) @param {Cut} cut @returns {ImageData} */
export function valuesImage(values, cut, channels) {
  if (cut.sound) return soundImage(values, channels);
  const seen = cut.dense(values, channels);
  if (channels === 1 || channels === 3) return pictureImage(seen, cut.shape, channels);
  return pictureImage(meanOf(seen, channels), cut.shape, 1);
}

/**
 * A sparse map of 0 or more, from black to `top`.
 * @param {{values: Float32Array, channels: number}|null} sound what is heard below a map over time
 * @returns {ImageData}
 */
export function mapImage(rows, values, top, cut, sound = null) {
  if (!cut.sound) {
    const seen = cut.sparse(rows, values);
    return heatImage(seen.rows, seen.values, top, cut.shape);
  }
  const whole = new Float32Array(cut.points);
  for (let i = 0; i < rows.length; i += 1) whole[rows[i]] = values[i];
  return barsImage(whole, top, sound);
}

/** A map with a value at every row; over time, one that is not a number is 0. @returns {ImageData} */
export function denseImage(values, top, cut, sound = null) {
  if (!cut.sound) return denseHeat(cut.dense(values), top, cut.shape);
  return barsImage(
    values.map((value) => (Number.isNaN(value) ? 0 : value)),
    top,
    sound,
  );
}

/** A small sparse map, scaled to its own largest mean. @returns {ImageData} */
export function smallImage(rows, values, cut, longest) {
  if (cut.sound) return smallBars(rows, values, cut.points, longest);
  const seen = cut.sparse(rows, values);
  return thumbnail(seen.rows, seen.values, cut.shape, longest);
}

/** A canvas with an atom's map as a thumbnail. */
export function mapCanvas(atoms, atom, cut, longest, canvas = document.createElement("canvas")) {
  const { rows, codes } = atoms.entries(atom);
  show(canvas, smallImage(rows, codes, cut, longest));
  return canvas;
}

/** What is heard of the difference of two sounds; null of anything else. */
export function difference(a, b, cut, channels) {
  if (!cut.sound) return null;
  const apart = (value, at) => (Number.isNaN(value) || Number.isNaN(b[at]) ? 0.5 : 0.5 + value - b[at]);
  return { values: a.map(apart), channels };
}

function meanOf(values, channels) {
  return Float32Array.from({ length: values.length / channels }, (_, at) => {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) sum += values[at * channels + c];
    return sum / channels;
  });
}

// From numbers to pixels.

import { HEAT } from "inrlens/draw/colour.js";

/**
 * A picture: values in [0, 1], one or three channels; the array of an ImageData clamps and rounds by itself. What is
 * not a number was left out, and is hatched.
 * @param {Float32Array} values (H * W * channels)
 * @param {[number, number]} grid [H, W]
 * @returns {ImageData}
 */
export function pictureImage(values, grid, channels) {
  const image = new ImageData(grid[1], grid[0]);
  const out = image.data;
  for (let i = 0, from = 0; i < out.length; i += 4, from += channels) {
    out[i] = 255 * values[from];
    out[i + 1] = 255 * values[from + (channels > 1 ? 1 : 0)];
    out[i + 2] = 255 * values[from + (channels > 2 ? 2 : 0)];
    out[i + 3] = 255;
    if (Number.isNaN(values[from])) out.fill(stripe(i / 4, grid[1]), i, i + 3);
  }
  return image;
}

/** The grey of a pixel in diagonal stripes of two pixels. */
const stripe = (row, width) => ((((row % width) + Math.floor(row / width)) >> 1) % 2 ? 176 : 96);

/**
 * A sparse map through the heat colours, from 0 (black) to `top`.
 * @param {ArrayLike<number>} rows where it is not 0
 * @param {Float32Array} values beside them
 * @returns {ImageData}
 */
export function heatImage(rows, values, top, grid) {
  const image = new ImageData(grid[1], grid[0]);
  const out = new Uint32Array(image.data.buffer);
  out.fill(HEAT[0]);
  const scale = top > 0 ? 255 / top : 0;
  for (let i = 0; i < rows.length; i += 1) out[rows[i]] = HEAT[Math.min(255, Math.round(values[i] * scale))];
  return image;
}

/**
 * The mean over channels of |a - b|, at every row.
 * @returns {{values: Float32Array, top: number}}
 */
export function distance(a, b, channels) {
  const values = new Float32Array(a.length / channels);
  let top = 0;
  for (let row = 0; row < values.length; row += 1) {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) {
      const [first, second] = [a[row * channels + c], b[row * channels + c]];
      sum += Math.abs(Math.min(1, Math.max(0, first)) - Math.min(1, Math.max(0, second)));
    }
    values[row] = sum / channels;
    if (values[row] > top) top = values[row];
  }
  return { values, top };
}

/** A dense map through the heat colours. */
export function denseHeat(values, top, grid) {
  const image = new ImageData(grid[1], grid[0]);
  const out = new Uint32Array(image.data.buffer);
  const scale = top > 0 ? 255 / top : 0;
  for (let row = 0; row < values.length; row += 1) {
    if (Number.isNaN(values[row])) image.data.fill(stripe(row, grid[1]), 4 * row, 4 * row + 3);
    else out[row] = HEAT[Math.min(255, Math.round(values[row] * scale))];
    image.data[4 * row + 3] = 255;
  }
  return image;
}

/**
 * A small sparse map: the mean over square blocks, scaled to its own largest mean.
 * @param {number} longest pixels of the longer side at most
 * @returns {ImageData}
 */
export function thumbnail(rows, values, grid, longest) {
  const [height, width] = grid;
  const block = Math.max(1, Math.ceil(Math.max(height, width) / longest));
  const [tall, wide] = [Math.ceil(height / block), Math.ceil(width / block)];
  const sums = new Float32Array(tall * wide);
  for (let i = 0; i < rows.length; i += 1) {
    const y = Math.floor(rows[i] / width);
    sums[Math.floor(y / block) * wide + Math.floor((rows[i] - y * width) / block)] += values[i];
  }
  let top = 0;
  for (let y = 0; y < tall; y += 1) {
    const rowsIn = Math.min(block, height - y * block);
    for (let x = 0; x < wide; x += 1) {
      const mean = sums[y * wide + x] / (rowsIn * Math.min(block, width - x * block));
      sums[y * wide + x] = mean;
      if (mean > top) top = mean;
    }
  }
  return denseHeat(sums, top, [tall, wide]);
}

/** Shows an image on a canvas of its own size. */
export function show(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// A sound as a raster: its wave or what is measured along it, above its spectrogram. As inrlens.reports.views draws it.

import { HEAT } from "inrlens/draw/colour.js";
import { SOUND } from "inrlens/model/cut.js";

const FLOOR = -80;
const WAVE_LEVEL = Math.round(0.75 * 255);
const [LEAST, MOST] = [16, 2048];
/** Spectrograms are asked for again and again while atoms are looked at: by the array that is heard. */
const kept = new WeakMap();
/** Values as they can be played, by the values as they are. */
const played = new WeakMap();

/** The window for a sound of so many samples, a power of two. */
export function windowOf(samples) {
  const octave = Math.floor(Math.log2(4 * Math.sqrt(samples)) + 0.5);
  return Math.min(MOST, Math.max(LEAST, 2 ** octave));
}

/**
 * Decibels of a sound whose values in [0, 1] are silent at 0.5: a periodic Hann window, moved by a quarter of itself, 0
 * being a sine of full scale. Frames that would reach over an end are the nearest that does not, if there is one.
 * @param {Float32Array} values (N * channels), of which the mean over channels is heard
 * @returns {{decibels: Float32Array, bins: number, frames: number}} (bins * frames)
 */
export function spectrogram(values, channels) {
  const count = values.length / channels;
  const size = windowOf(count);
  const hop = size / 4;
  const [bins, frames] = [size / 2 + 1, Math.floor(count / hop) + 1];
  const weights = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const full = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  const decibels = new Float32Array(bins * frames);
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  for (let frame = 0; frame < frames; frame += 1) {
    for (let i = 0; i < size; i += 1) {
      const at = frame * hop + i - size / 2;
      let sum = 0;
      if (at >= 0 && at < count) for (let c = 0; c < channels; c += 1) sum += values[at * channels + c];
      real[i] = at >= 0 && at < count ? weights[i] * ((2 * sum) / channels - 1) : 0;
      imaginary[i] = 0;
    }
    transform(real, imaginary);
    for (let bin = 0; bin < bins; bin += 1) {
      const loud = Math.max(1e-12, Math.hypot(real[bin], imaginary[bin]) / full);
      decibels[bin * frames + frame] = Math.max(FLOOR, 20 * Math.log10(loud));
    }
  }
  const [first, last] = [size / 2 / hop, Math.floor((count - size / 2) / hop)];
  for (let frame = 0; frame < frames && last >= first; frame += 1) {
    const from = Math.min(last, Math.max(first, frame));
    for (let bin = 0; bin < bins; bin += 1) decibels[bin * frames + frame] = decibels[bin * frames + from];
  }
  return { decibels, bins, frames };
}

/** The discrete Fourier transform in place, of a power of two (Cooley and Tukey 1965). */
export function transform(real, imaginary) {
  const count = real.length;
  for (let i = 1, j = 0; i < count; i += 1) {
    let bit = count >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let size = 2; size <= count; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k += 1) {
      const [cosine, sine] = [Math.cos((-2 * Math.PI * k) / size), Math.sin((-2 * Math.PI * k) / size)];
      for (let at = k; at < count; at += size) {
        const [re, im] = [real[at + half], imaginary[at + half]];
        const [turnedRe, turnedIm] = [cosine * re - sine * im, cosine * im + sine * re];
        [real[at + half], imaginary[at + half]] = [real[at] - turnedRe, imaginary[at] - turnedIm];
        [real[at], imaginary[at]] = [real[at] + turnedRe, imaginary[at] + turnedIm];
      }
    }
  }
}

/** Values in [0, 1] as a wave above their spectrogram; what is not a number was left out, and is silent. */
export function soundImage(values, channels) {
  if (!played.has(values))
    played.set(
      values,
      values.map((value) => (Number.isNaN(value) ? 0.5 : Math.min(1, Math.max(0, value)))),
    );
  const held = played.get(values);
  const image = blank(SOUND.wave + SOUND.gap + SOUND.spectrum);
  const { width, wave } = SOUND;
  const count = values.length / channels;
  for (let x = 0; x < width; x += 1) {
    const [from, to] = share(x, count, width);
    let [low, high] = [Infinity, -Infinity];
    for (let at = from * channels; at < to * channels; at += 1) {
      low = Math.min(low, held[at]);
      high = Math.max(high, held[at]);
    }
    for (let y = Math.round(low * (wave - 1)); y <= Math.round(high * (wave - 1)); y += 1) {
      image.pixels[(wave - 1 - y) * width + x] = HEAT[WAVE_LEVEL];
    }
  }
  heard(image, spectrumOf(held, channels));
  return image.data;
}

/**
 * Values of 0 or more, one a sample, as bars up to `top`.
 * @param {{values: Float32Array, channels: number}|null} sound whose spectrogram stands below, if any
 * @returns {ImageData}
 */
export function barsImage(values, top, sound) {
  const { width, wave, gap, spectrum } = SOUND;
  const image = blank(sound ? wave + gap + spectrum : wave);
  bars(image.pixels, values, top, width, wave);
  if (sound) heard(image, spectrumOf(sound.values, sound.channels));
  return image.data;
}

/** Bars as high, and as bright, as the largest of the samples that share each column over `top`. */
function bars(pixels, values, top, width, height) {
  for (let x = 0; x < width; x += 1) {
    const [from, to] = share(x, values.length, width);
    let most = 0;
    for (let at = from; at < to; at += 1) most = Math.max(most, values[at]);
    const level = top > 0 ? Math.min(1, Math.fround(most / top)) : 0;
    const colour = HEAT[Math.round(255 * level)];
    for (let y = 0; y < Math.ceil(level * height); y += 1) pixels[(height - 1 - y) * width + x] = colour;
  }
}

/** Bars of means over equal blocks, as small as a thumbnail. @returns {ImageData} */
export function smallBars(rows, values, count, longest) {
  const block = Math.max(1, Math.ceil(count / longest));
  const means = new Float32Array(Math.ceil(count / block));
  for (let i = 0; i < rows.length; i += 1) means[Math.floor(rows[i] / block)] += values[i];
  means.forEach((sum, at) => (means[at] = sum / Math.min(block, count - at * block)));
  const [width, height] = [means.length, Math.max(1, Math.round(longest / 3))];
  const image = blank(height, width);
  bars(
    image.pixels,
    means,
    means.reduce((top, mean) => Math.max(top, mean), 0),
    width,
    height,
  );
  return image.data;
}

/** The samples that share one of `width` columns: at least one. @returns {[number, number]} */
function share(column, count, width) {
  return [Math.floor((column * count) / width), Math.ceil(((column + 1) * count) / width)];
}

function blank(height, width = SOUND.width) {
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  pixels.fill(HEAT[0]);
  return { data, pixels };
}

/** Levels of a spectrogram's raster, high frequencies first; the loudest of the bins and frames that share a pixel. */
function spectrumOf(values, channels) {
  if (kept.has(values)) return kept.get(values);
  const { decibels, bins, frames } = spectrogram(values, channels);
  const { width, spectrum } = SOUND;
  const levels = new Uint8Array(width * spectrum);
  for (let y = 0; y < spectrum; y += 1) {
    const [low, high] = share(y, bins, spectrum);
    for (let x = 0; x < width; x += 1) {
      const [from, to] = share(x, frames, width);
      let loudest = FLOOR;
      for (let bin = low; bin < high; bin += 1) {
        for (let frame = from; frame < to; frame += 1) loudest = Math.max(loudest, decibels[bin * frames + frame]);
      }
      levels[(spectrum - 1 - y) * width + x] = Math.round(255 * Math.min(1, Math.max(0, 1 - loudest / FLOOR)));
    }
  }
  kept.set(values, levels);
  return levels;
}

function heard({ pixels }, levels) {
  const from = (SOUND.wave + SOUND.gap) * SOUND.width;
  levels.forEach((level, at) => (pixels[from + at] = HEAT[level]));
}

// Axes of a plot: scales, ticks, and their drawing as SVG.

import { put, s } from "inrlens/dom.js";
import { titleOf, unitOf } from "inrlens/model/known.js";

/** Share of an axis that stays free at either end. */
const MARGIN = 0.03;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * `place(value)` is a share of the axis, 0 to 1, NaN where the value has no place; `value(share)` the way back.
 * @typedef {{entry: Object, title: string, place: (value: number) => number, value: (share: number) => number,
 *   ticks: {share: number, text: string}[]}} Axis
 */

/**
 * The axis that holds all values which it can: by powers of ten where the number's entry says so, then above 0 only.
 * @param {Object} entry of NUMBERS
 * @param {Iterable<number>} values
 * @param {number} most ticks at most, about
 * @returns {Axis|null} null where no value can stand on it
 */
export function axisOf(entry, values, most) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value) || (entry.log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return null;
  const to = entry.log ? Math.log10 : (value) => value;
  const from = entry.log ? (at) => 10 ** at : (at) => at;
  const [start, end] = padded(to(low), to(high), entry.log ? 0.3 : 0.5);
  const place = (value) => (entry.log && value <= 0 ? NaN : (to(value) - start) / (end - start));
  const value = (share) => from(start + share * (end - start));
  const { factor } = unitOf(entry);
  const told = entry.log
    ? powers(value(0) * factor, value(1) * factor, most)
    : steps(value(0) * factor, value(1) * factor, most);
  const ticks = told.map(({ at, text }) => ({ share: place(at / factor), text }));
  return { entry, title: titleOf(entry), place, value, ticks };
}

function padded(start, end, alone) {
  const margin = end > start ? MARGIN * (end - start) : alone;
  return [start - margin, end + margin];
}

/** Ticks at 1, 2 or 5 times a power of ten, evenly. @returns {{at: number, text: string}[]} */
export function steps(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let at = Math.ceil(low / step); at <= Math.floor(high / step); at += 1) {
    found.push({ at: at * step, text: signed((at * step).toFixed(digits)) });
  }
  return found;
}

/** Ticks at powers of ten; at 2 and 5 times them as well where few powers are in sight. */
export function powers(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const apart = Math.max(1, Math.ceil((last - first + 1) / most));
  const found = [];
  for (let power = first - 1; power <= last; power += 1) {
    if (power >= first && (power - first) % apart === 0) found.push({ at: 10 ** power, text: tenTo(power) });
    if (last - first >= 2) continue;
    for (const times of [2, 5]) {
      const at = times * 10 ** power;
      if (at >= low && at <= high) found.push({ at, text: power < -3 || power > 3 ? "" : plain(at, power) });
    }
  }
  return found.length > 1 ? found : steps(low, high, Math.min(most, 4));
}

function tenTo(power) {
  if (power >= -3 && power <= 3) return plain(10 ** power, power);
  const digits = String(Math.abs(power)).replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);
  return `10${power < 0 ? "⁻" : ""}${digits}`;
}

const plain = (value, power) => value.toFixed(Math.max(0, -power));
const signed = (text) => (Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212"));

/**
 * Draws both axes: hairlines at the ticks, their texts, and the titles.
 * @param {SVGGElement} group
 * @param {Axis} across
 * @param {Axis} up
 * @param {{left: number, top: number, width: number, height: number}} frame where the dots lie, in CSS pixels
 */
export function drawAxes(group, across, up, { left, top, width, height }) {
  const bottom = top + height;
  const x = ({ share }) => Math.round(left + share * width) + 0.5;
  const y = ({ share }) => Math.round(bottom - share * height) + 0.5;
  put(
    group,
    across.ticks.map((tick) => s("line", { class: "rule", x1: x(tick), x2: x(tick), y1: top, y2: bottom })),
    up.ticks.map((tick) => s("line", { class: "rule", x1: left, x2: left + width, y1: y(tick), y2: y(tick) })),
    across.ticks.map((tick) => s("text", { class: "tick across", x: x(tick), y: bottom + 15 }, tick.text)),
    up.ticks.map((tick) => s("text", { class: "tick up", x: left - 6, y: y(tick) + 4 }, tick.text)),
    s("text", { class: "title across", x: left + width, y: bottom + 33 }, across.title),
    s("text", { class: "title up", x: left, y: top - 8 }, up.title),
  );
}

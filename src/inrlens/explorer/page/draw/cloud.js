// All living atoms over two axes: where each lies, in which colour, and how rectangles become filters and back.

import { axisOf } from "inrlens/draw/plot.js";
import { unitOf } from "inrlens/model/known.js";
import { count, valuesOf } from "inrlens/model/numbers.js";

/** Steps of locality that have a colour of their own, as in reports. */
export const STEPS = 5;

/**
 * Where every living atom lies in the frame, which pass, in which colours, and how many have no place.
 * @param {import("inrlens/model/app.js").Scene} scene whose arrays are there
 * @param {Object[]} entries of NUMBERS, across and up
 * @param {Uint32Array} order the atoms that pass
 */
export function cloudOf(scene, entries, order, frame) {
  const { atoms, effects } = scene;
  const values = entries.map(({ name }) => valuesOf(name, atoms, effects));
  const alive = [];
  for (let atom = 0; atom < atoms.n; atom += 1) if (atoms.count(atom)) alive.push(atom);
  const room = [Math.max(3, frame.width / 70), Math.max(3, frame.height / 50)];
  const axes = entries.map((entry, i) =>
    axisOf(
      entry,
      alive.map((atom) => values[i][atom]),
      room[i],
    ),
  );
  const whole = axes.every(Boolean);
  const [xs, ys] = [new Float32Array(atoms.n).fill(NaN), new Float32Array(atoms.n).fill(NaN)];
  if (whole) {
    for (const atom of alive) {
      xs[atom] = frame.left + axes[0].place(values[0][atom]) * frame.width;
      ys[atom] = frame.top + (1 - axes[1].place(values[1][atom])) * frame.height;
      if (Number.isNaN(xs[atom])) ys[atom] = NaN;
    }
  }
  const passes = new Uint8Array(atoms.n);
  for (const atom of order) passes[atom] = 1;
  const locality = valuesOf("in_radius", atoms, effects);
  const along = order.filter((atom) => !Number.isNaN(xs[atom] + ys[atom])).sort((a, b) => xs[a] - xs[b] || a - b);
  return {
    axes: whole ? axes : null,
    xs,
    ys,
    along,
    living: alive.length,
    passing: order.length,
    local: Boolean(locality) && whole,
    faint: alive.filter((atom) => !passes[atom]),
    groups: grouped(order, locality),
    outside: [...new Set(entries.flatMap((entry, i) => outside(entry, values[i], alive)))],
    say: (atom) => `Atom ${atom}: ${told(entries, values, atom)}`,
    ...(whole ? rectangles(axes, frame) : {}),
  };
}

function told(entries, values, atom) {
  return entries.map(({ label, show }, i) => `${label} ${show(values[i][atom])}`).join(", ");
}

/** Atoms by step of locality, the fewest last so that they lie on top; step -1 where locality is not known. */
function grouped(order, locality) {
  if (!locality) return [{ step: -1, dots: order }];
  const groups = new Map();
  for (const atom of order) {
    const share = locality[atom];
    const step = Number.isNaN(share) ? null : Math.min(STEPS - 1, Math.max(0, Math.floor(STEPS * share)));
    if (!groups.has(step)) groups.set(step, []);
    groups.get(step).push(atom);
  }
  return [...groups].map(([step, dots]) => ({ step, dots })).sort((a, b) => b.dots.length - a.dots.length);
}

/** Sentences on the atoms that an axis has no place for. */
function outside(entry, values, alive) {
  const low = entry.log ? alive.filter((atom) => values[atom] <= 0).length : 0;
  const none = alive.filter((atom) => Number.isNaN(values[atom])).length;
  const atoms = (number) => (number === 1 ? "1 atom" : `${count(number)} atoms`);
  return [
    low && `${atoms(low)} ${low === 1 ? "lies" : "lie"} outside: ${entry.label} not above 0.`,
    none && `${atoms(none)} ${none === 1 ? "has" : "have"} no ${entry.label}.`,
  ].filter(Boolean);
}

/** From rectangles in CSS pixels to filters and back. */
function rectangles([across, up], { left, top, width, height }) {
  const [right, bottom] = [left + width, top + height];
  const inside = (value, low, high) => Math.min(high, Math.max(low, value));
  const clip = (from, to) => {
    const [x1, x2] = [from[0], to[0]].map((x) => inside(x, left, right)).sort((a, b) => a - b);
    const [y1, y2] = [from[1], to[1]].map((y) => inside(y, top, bottom)).sort((a, b) => a - b);
    return { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
  };
  const filters = (from, to) => {
    const { x, y, width: wide, height: tall } = clip(from, to);
    const ends = [
      [across, (x - left) / width, (x + wide - left) / width],
      [up, (bottom - y - tall) / height, (bottom - y) / height],
    ];
    const found = ends.map(([axis, low, high]) => ({
      name: axis.entry.name,
      low: rounded(axis.value(low), axis.entry),
      high: rounded(axis.value(high), axis.entry),
    }));
    return across.entry.name === up.entry.name ? found.slice(0, 1) : found;
  };
  const span = ([byX, byY]) => {
    const share = (axis, value, limit) => {
      const place = axis.place(value);
      return Number.isFinite(place) ? inside(place, 0, 1) : limit;
    };
    const x1 = byX ? share(across, byX.low, 0) : 0;
    const x2 = byX ? share(across, byX.high, 1) : 1;
    const y1 = byY ? share(up, byY.low, 0) : 0;
    const y2 = byY ? share(up, byY.high, 1) : 1;
    return { x: left + x1 * width, y: bottom - y2 * height, width: (x2 - x1) * width, height: (y2 - y1) * height };
  };
  return { clip, filters, span };
}

/** Four digits, in the unit that people read: enough for a pixel, few enough to be read. */
function rounded(value, entry) {
  const { factor } = unitOf(entry);
  return Number((Number((value * factor).toPrecision(4)) / factor).toPrecision(12));
}

// Numbers as comma-separated text, and the names of saved files.

import { NUMBERS, valuesOf } from "inrlens/model/numbers.js";

/** Units of the columns whose values have one; the others are plain numbers. */
const UNITS = {
  psnr_drop: "dB",
  support: "share",
  in_radius: "share",
  active_fraction: "share",
  firing_rate: "share",
};
const LONGEST_NAME = 120;

/**
 * One cell: numbers plain, text quoted where it has to be, and never anything that a spreadsheet takes for a formula.
 * @param {string|number|null|undefined} value
 */
export function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const safe = /^\s*[=+\-@]/.test(value) || /^[\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows of cells as text; lines end as RFC 4180 has them. @param {Array<Array<string|number|null>>} rows */
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** The shortest number that is the same in single precision. @param {number} value of a Float32Array */
export function single(value) {
  for (let digits = 6; digits < 9; digits += 1) {
    const near = Number(value.toPrecision(digits));
    if (Math.fround(near) === value) return near;
  }
  return Number.isFinite(value) ? Number(value.toPrecision(9)) : NaN;
}

/** The columns of an atom's numbers. */
export const columns = () => NUMBERS.map(({ name }) => (UNITS[name] ? `${name}_${UNITS[name]}` : name));

/**
 * The numbers of atoms in order, one row an atom, under a header line.
 * @param {import("inrlens/model/app.js").Scene} scene
 * @param {Uint32Array} order
 * @returns {Array<Array<string|number>>}
 */
export function atomRows(scene, order) {
  const values = NUMBERS.map(({ name }) => valuesOf(name, scene.atoms, scene.effects));
  const rows = Array.from(order, (atom) => [atom, ...values.map((of) => (of ? single(of[atom]) : NaN))]);
  return [["atom", ...columns()], ...rows];
}

/**
 * The same for two panes under one header: which pane, what it shows, and the rank of every atom, from 1.
 * @param {{scene: import("inrlens/model/app.js").Scene, order: Uint32Array}[]} panes
 */
export function paneRows(panes) {
  const rows = panes.flatMap(({ scene, order }, place) => {
    if (!scene.atoms) return [];
    const { network, dictionary, signal } = scene;
    return atomRows(scene, order)
      .slice(1)
      .map((row, rank) => [place + 1, network.name, dictionary.name, signal.name, rank + 1, ...row]);
  });
  return [["pane", "network", "dictionary", "signal", "rank", "atom", ...columns()], ...rows];
}

/** A freeze sweep, one row a setting, each fit in a column of its own. @param {Object} entry of manifest.freeze */
export function settingRows({ run, backbone, signals, settings }) {
  const fits = Math.max(0, ...settings.map((one) => one.psnrs.length));
  const named = Array.from({ length: fits }, (_, fit) =>
    fits === signals.length ? `psnr_dB ${signals[fit]}` : `psnr_dB fit ${fit + 1}`,
  );
  const rows = settings.map((one) => [run, backbone, one.label, one.freeze, one.rest, one.psnr, ...one.psnrs]);
  return [["run", "backbone", "setting", "tau", "rest", "psnr_dB", ...named], ...rows];
}

/**
 * A file's name: the parts joined by hyphens, only letters, digits, dots, hyphens and underscores.
 * @param {Array<string|null|undefined>} parts
 * @param {string} ending without the dot
 */
export function fileName(parts, ending) {
  const clean = parts
    .filter((part) => part !== null && part !== undefined)
    .map((part) =>
      String(part)
        .normalize("NFC")
        .replace(/[^\p{L}\p{N}._]+/gu, "-")
        .replace(/^[-.]+|[-.]+$/g, ""),
    )
    .filter((part) => part !== "")
    .join("-");
  const short = [...clean]
    .slice(0, LONGEST_NAME)
    .join("")
    .replace(/[-.]+$/, "");
  return `${short || "inrlens"}.${ending}`;
}

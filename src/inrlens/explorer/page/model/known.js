// Which numbers a bundle has for what a pane shows, in which unit people read them, and whether they have come.

import { NUMBERS, percent } from "inrlens/model/numbers.js";

/** @typedef {import("inrlens/model/app.js").Scene} Scene */

/**
 * The entries of NUMBERS that the bundle has for a scene's dictionary and signal, loaded or not.
 * @param {Scene} scene
 */
export function knownNumbers({ dictionary, signal }) {
  if (!dictionary) return [];
  const effects = effectsOf(dictionary, signal)?.numbers ?? {};
  return NUMBERS.filter(({ name, effect }) => name in (effect ? effects : dictionary.numbers));
}

/** Whether everything has come that orders, filters and axes read. */
export function complete({ dictionary, signal, atoms, effects }) {
  return Boolean(atoms) && (Boolean(effects) || !effectsOf(dictionary, signal));
}

const effectsOf = (dictionary, signal) => dictionary.effects.find((one) => one.head === signal?.head);

/** Number of atoms that fire somewhere. */
export function living(atoms) {
  let found = 0;
  for (let atom = 0; atom < atoms.n; atom += 1) if (atoms.count(atom)) found += 1;
  return found;
}

/**
 * The unit in which people read and type a number: `value * factor` is in `text`.
 * @returns {{text: string, factor: number}}
 */
export function unitOf(entry) {
  if (entry.show === percent) return { text: "%", factor: 100 };
  return { text: entry.name === "psnr_drop" ? "dB" : "", factor: 1 };
}

/** "active fraction (%)"; a label that says its unit itself stays as it is. */
export function titleOf(entry) {
  const { text } = unitOf(entry);
  return text && !entry.label.includes(text) ? `${entry.label} (${text})` : entry.label;
}

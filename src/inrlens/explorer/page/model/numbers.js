// The numbers of an atom: one table for columns, axes, filters and orders.

const thousands = new Intl.NumberFormat("en");

/** 1,234 */
export const count = (value) => thousands.format(value);

/** -0.123 with a true minus; "–" for what is not a number. */
export function fixed(value, digits) {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "\u2212" : "") + text;
}

/** Three significant digits, 1.23e-5 where small. */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) return Number(value.toPrecision(3)).toString().replace("-", "\u2212");
  return value.toExponential(2).replace("-", "\u2212").replace("e-", "e\u2212");
}

/** 0.7 % */
export function percent(value) {
  if (!Number.isFinite(value)) return "–";
  const share = 100 * value;
  return `${share >= 10 ? share.toFixed(0) : share >= 1 ? share.toFixed(1) : share.toFixed(2)}\u202f%`;
}

/**
 * Every number that an atom has. `effect`: it belongs to one signal; `log`: an axis runs better by powers of ten.
 */
export const NUMBERS = [
  {
    name: "psnr_drop",
    label: "dB lost",
    effect: true,
    log: true,
    show: (value) => `${short(value)}\u202fdB`,
    said: "By how many dB the PSNR falls when the atom alone is removed.",
  },
  {
    name: "energy",
    label: "effect",
    effect: true,
    log: true,
    show: short,
    said: "The squared effect on the picture, mean over all pixels and channels.",
  },
  { name: "largest", label: "largest effect", effect: true, log: true, show: short, said: "On any pixel and channel." },
  {
    name: "support",
    label: "support",
    effect: true,
    log: true,
    show: percent,
    said: "Share of the pixels where the effect is not 0.",
  },
  {
    name: "in_radius",
    label: "locality",
    effect: true,
    log: false,
    show: percent,
    said: "Share of the effect's energy within an eighth of the picture's side of its centre.",
  },
  {
    name: "pieces",
    label: "pieces",
    effect: true,
    log: true,
    show: (value) => fixed(value, 0),
    said: "Connected pieces of the map.",
  },
  {
    name: "mean_magnitude",
    label: "mean magnitude",
    effect: false,
    log: true,
    show: short,
    said: "The code's mean over all pixels.",
  },
  {
    name: "active_fraction",
    label: "active fraction",
    effect: false,
    log: true,
    show: percent,
    said: "Share of the pixels with a code above 0.01.",
  },
  {
    name: "firing_rate",
    label: "firing rate",
    effect: false,
    log: true,
    show: percent,
    said: "Share of the pixels with a code above 0.",
  },
  {
    name: "ipr",
    label: "IPR",
    effect: false,
    log: true,
    show: short,
    said: "Inverse participation ratio: 1 on one pixel, 1/N where it is the same everywhere.",
  },
];

/** The entry of a name. */
export const number = (name) => NUMBERS.find((entry) => entry.name === name);

/** Values of a number for every atom, or null where they are not known. */
export function valuesOf(name, atoms, effects) {
  return number(name)?.effect ? (effects?.numbers[name] ?? null) : (atoms.numbers[name] ?? null);
}

/**
 * The living atoms that pass the filters, in order; ties by number, NaN last.
 * @param {import("inrlens/model/atoms.js").Atoms} atoms
 * @param {import("inrlens/model/atoms.js").Effects|null} effects
 * @param {{by: string, descending: boolean, filters: {name: string, low: number, high: number}[]}} wanted
 * @returns {Uint32Array}
 */
export function ordered(atoms, effects, { by, descending, filters }) {
  const tests = filters
    .map(({ name, low, high }) => ({ values: valuesOf(name, atoms, effects), low, high }))
    .filter(({ values }) => values !== null);
  const kept = [];
  for (let atom = 0; atom < atoms.n; atom += 1) {
    if (atoms.count(atom) && tests.every(({ values, low, high }) => values[atom] >= low && values[atom] <= high)) {
      kept.push(atom);
    }
  }
  const values = valuesOf(by, atoms, effects);
  if (values) {
    const sign = descending ? -1 : 1;
    kept.sort((a, b) => {
      const [first, second] = [values[a], values[b]];
      if (Number.isNaN(first) || Number.isNaN(second)) return Number.isNaN(first) - Number.isNaN(second) || a - b;
      return sign * (first - second) || a - b;
    });
  } else if (!descending) kept.reverse();
  return Uint32Array.from(kept);
}

/** Words with a capital at their beginning. */
export const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

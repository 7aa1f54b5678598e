// Two panes: pairs that are worth a look, and one sentence on how what they show differs.

import { complete } from "inrlens/model/known.js";
import { count, number, percent } from "inrlens/model/numbers.js";

/** What the panes are called. */
export const PLACES = ["first", "second"];

/** The atom of a pane at the state's rank; null where there is none, or what orders them has not come yet. */
export function atomAt(app, place) {
  return complete(app.scene(place)) ? (app.order(place)[app.state.rank] ?? null) : null;
}

/**
 * One sentence on how the panes' atoms differ, or on what is missing; "" until all has come.
 * @param {import("inrlens/model/app.js").App} app
 */
export function difference(app) {
  const scenes = [app.scene(0), app.scene(1)];
  const atoms = [atomAt(app, 0), atomAt(app, 1)];
  if (!scenes.every(complete)) return "";
  const none = PLACES.filter((_, place) => atoms[place] === null);
  if (none.length) return `No atom stands at rank ${count(app.state.rank + 1)} in the ${none.join(" and the ")} pane.`;
  if (scenes[0].dictionary === scenes[1].dictionary && scenes[0].signal === scenes[1].signal) {
    return "Both panes show the same dictionary and signal: choose another in one of them.";
  }
  const costs = scenes.map(({ effects }, i) => effects?.numbers.psnr_drop[atoms[i]] ?? NaN);
  const covers = scenes.map(({ atoms: all }, i) => percent(all.numbers.active_fraction[atoms[i]]));
  const names = called(scenes);
  const [a, b] = costs[1] > costs[0] ? [1, 0] : [0, 1];
  const start = `At rank ${count(app.state.rank + 1)} ${names[a][0]}`;
  if (!costs.every(Number.isFinite)) return `${start} covers ${covers[a]} of the picture, ${names[b][1]} ${covers[b]}.`;
  const db = (place) => number("psnr_drop").show(costs[place]);
  const first = `${start} costs ${db(a)} and covers ${covers[a]} of the picture`;
  return `${first}, ${names[b][1]} ${db(b)} and ${covers[b]}.`;
}

/** What tells two panes' atoms apart: by its full name and by its short one. */
function called(scenes) {
  const owners = [
    ({ network }) => `the ${network.backbone.toUpperCase()}’s`,
    ({ network }) => ({ cohort: "the cohort’s", single: "the single network’s" })[network.kind] ?? "the transfer’s",
    ({ network }) => `${network.name}’s`,
    ({ dictionary }) => `layer ${dictionary.layer}’s`,
    ({ dictionary }) => `seed ${dictionary.seed}’s`,
  ];
  const owner = owners.find((name) => name(scenes[0]) !== name(scenes[1]));
  if (owner) return scenes.map((scene) => [`${owner(scene)} atom`, owner(scene)]);
  return scenes.map(({ signal }, place) => {
    const apart = scenes[0].signal.name !== scenes[1].signal.name;
    const on = apart ? `on ${signal.name}` : `in the ${PLACES[place]} pane`;
    return [`the atom ${on}`, `that ${on}`];
  });
}

/**
 * Pairs worth a look, starting from a network where it has a partner.
 * @param {Object} manifest
 * @param {string} near id of the network to start from
 * @returns {{label: string, panes: {network: string, head: number, dictionary: string}[]}[]}
 */
export function presets(manifest, near) {
  const able = manifest.networks.filter((one) => one.signals.length && one.dictionaries.length);
  const from = [...able.filter((one) => one.id === near), ...able.filter((one) => one.id !== near)];
  const search = (test) => {
    for (const a of from) for (const b of from) if (a !== b && test(a, b)) return [a, b];
    return null;
  };
  const found = [];
  const backbones =
    search((a, b) => a.kind === b.kind && a.backbone !== b.backbone) ?? search((a, b) => a.backbone !== b.backbone);
  if (backbones) {
    const [a, b] = backbones[0].backbone === "ffmlp" ? backbones.toReversed() : backbones;
    found.push({ label: `${a.backbone.toUpperCase()} beside ${b.backbone.toUpperCase()}`, panes: middles(a, b) });
  }
  const kinds = search((a, b) => a.backbone === b.backbone && [a.kind, b.kind].sort().join() === "cohort,single");
  if (kinds) {
    const [a, b] = kinds[0].kind === "cohort" ? kinds : kinds.toReversed();
    found.push({ label: "cohort beside single", panes: middles(a, b) });
  }
  const deep = from.find((one) => new Set(one.dictionaries.map(({ layer }) => layer)).size > 1);
  if (deep) {
    const panes = within(deep, deep.dictionaries[0], deep.dictionaries.at(-1));
    found.push({ label: "first layer beside last", panes });
  }
  return [...found, ...seeds(from, search)];
}

function seeds(from, search) {
  for (const one of from) {
    for (const a of one.dictionaries) {
      const b = one.dictionaries.find(({ layer, seed }) => layer === a.layer && seed > a.seed);
      if (b) return [{ label: `seed ${a.seed} beside seed ${b.seed}`, panes: within(one, a, b) }];
    }
  }
  const pair = search((a, b) => a.kind === b.kind && a.backbone === b.backbone && a.seed < b.seed);
  return pair ? [{ label: `seed ${pair[0].seed} beside seed ${pair[1].seed}`, panes: middles(...pair) }] : [];
}

const within = (network, ...chosen) =>
  chosen.map(({ id }) => ({ network: network.id, head: network.signals[0].head, dictionary: id }));

/** Two networks on one signal, if they share one, at the first's middle dictionary and the same layer of the second. */
function middles(a, b) {
  const middle = (all) => all[Math.floor((all.length - 1) / 2)];
  const first = middle(a.dictionaries);
  const second = b.dictionaries.find(({ layer }) => layer === first.layer) ?? middle(b.dictionaries);
  const names = new Set(b.signals.map(({ name }) => name));
  const own = a.signals.find(({ name }) => names.has(name)) ?? a.signals[0];
  const other = b.signals.find(({ name }) => name === own.name) ?? b.signals[0];
  return [
    { network: a.id, head: own.head, dictionary: first.id },
    { network: b.id, head: other.head, dictionary: second.id },
  ];
}

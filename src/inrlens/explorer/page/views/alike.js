// The atoms most like one: in its layer, in others, in other seeds and networks.

import { h, put } from "inrlens/dom.js";
import { mapCanvas } from "inrlens/draw/seen.js";
import { fixed } from "inrlens/model/numbers.js";

/** Pixels of a thumbnail's longer side at most. */
export const THUMBNAIL = 48;
/** Milliseconds of rest before dictionaries that are not there yet are fetched for their thumbnails. */
const REST = 250;
const GROUPS = ["In this layer", "In other layers", "In other seeds and networks"];
const BY = {
  map: ["by place", "Correlation of the two maps over the grid"],
  cosine: ["by direction", "Cosine of the angle between the two directions"],
};

/** The atoms most like one, in groups that are filled when they are open. */
export function mostAlike(app, refocus) {
  const element = h("section", { class: "alike" });
  const arrays = new WeakMap();
  const opened = new Set([GROUPS[0]]);
  let groups = [];
  let shown = { dictionary: null, atom: null, cut: null };

  /** The arrays `atoms` and `values` of an entry of the manifest, read once. */
  const read = (entry) => {
    if (!arrays.has(entry)) {
      const reading = Promise.all([app.bundle.array(entry.atoms), app.bundle.array(entry.values)]);
      reading.catch(() => arrays.delete(entry));
      arrays.set(entry, reading);
    }
    return arrays.get(entry);
  };
  const fill = async (group) => {
    const { dictionary, atom, cut } = shown;
    if (!group.details.open || group.atom === atom) return;
    group.atom = atom;
    const current = () => shown.dictionary === dictionary && shown.atom === atom && shown.cut === cut;
    try {
      for (const line of group.lines) {
        const [atoms, values] = await read(line.entry);
        if (!current()) return;
        const width = line.entry.atoms.shape[1];
        const each = [...Array(width).keys()].map((i) => [atoms[atom * width + i], values[atom * width + i]]);
        line.draw(each.filter(([other]) => other >= 0));
      }
      for (const line of group.lines) await line.thumbnails(current);
    } catch (fault) {
      group.atom = null;
      app.fail(fault);
    }
  };
  const build = (network, dictionary) => {
    groups = groupsOf(app, network, dictionary).map(({ label, found }) => {
      const lines = found.map((one) => likeLine(app, network, dictionary, one, refocus));
      const open = opened.has(label);
      const details = h(
        "details",
        { open },
        h("summary", {}, label),
        lines.map((line) => line.element),
      );
      const group = { details, lines, atom: null };
      details.addEventListener("toggle", () => {
        opened[details.open ? "add" : "delete"](label);
        fill(group);
      });
      return group;
    });
    put(
      element,
      groups.length ? h("h3", {}, "Most like it") : null,
      groups.map((group) => group.details),
    );
  };
  const draw = ({ network, cut, dictionary, atom }) => {
    if (shown.dictionary !== dictionary) build(network, dictionary);
    if (shown.cut !== cut) for (const group of groups) group.atom = null;
    shown = { dictionary, atom, cut };
    groups.forEach(fill);
  };
  return { element, draw };
}

/** What a dictionary is compared with, in groups; only groups that have something. */
function groupsOf(app, network, dictionary) {
  const found = dictionary.alike.flatMap((entry) => {
    const owner = app.manifest.networks.find((one) => one.dictionaries.some((each) => each.id === entry.dictionary));
    const other = owner?.dictionaries.find((one) => one.id === entry.dictionary);
    return other ? [{ entry, owner, other }] : [];
  });
  const own = ({ other }) => other.id === dictionary.id;
  const layers = ({ owner, other }) => owner === network && other.layer !== dictionary.layer;
  return [
    { label: GROUPS[0], found: found.filter(own) },
    { label: GROUPS[1], found: found.filter(layers) },
    { label: GROUPS[2], found: found.filter((one) => !own(one) && !layers(one)) },
  ].filter((group) => group.found.length);
}

/** One line of such a group: the best atoms of one dictionary by one measure. */
function likeLine(app, network, dictionary, { entry, owner, other }, refocus) {
  const where = other.id === dictionary.id ? [] : [owner === network ? null : owner.name, other.name];
  const [by, meaning] = BY[entry.by] ?? [`by ${entry.by}`, entry.by];
  const label = [...where, by].filter(Boolean).join(", ");
  const list = h("div", { class: "likes" });
  const element = h("div", { class: "line" }, h("p", { class: "muted small", title: meaning }, label), list);
  let drawn = [];
  const go = (atom) => {
    app.setPane(0, { network: owner.id, dictionary: other.id, atom });
    refocus();
  };
  const draw = (each) => {
    drawn = each.map(([atom, value]) => {
      const shown = fixed(value, 2);
      return { atom, ...likeButton(atom, shown, `Atom ${atom} ${label}, ${shown}`, app.cut(owner), () => go(atom)) };
    });
    put(list, each.length ? drawn.map(({ button }) => button) : h("p", { class: "muted small" }, "none"));
  };
  const thumbnails = async (current) => {
    if (!app.loaded.get(other.id)?.value) await new Promise((go) => setTimeout(go, REST));
    if (!current()) return;
    const atoms = await app.once(other.id, () => app.readAtoms(owner, other));
    if (current()) drawn.forEach(({ atom, canvas }) => mapCanvas(atoms, atom, app.cut(owner), THUMBNAIL, canvas));
  };
  return { entry, element, draw, thumbnails };
}

/**
 * An atom as a button: its map, still empty, its number, and a value.
 * @returns {{button: HTMLElement, canvas: HTMLCanvasElement}}
 */
export function likeButton(atom, shown, label, cut, onclick) {
  const canvas = h("canvas", { width: 1, height: 1 });
  canvas.style.aspectRatio = `${cut.small[1]} / ${cut.small[0]}`;
  const button = h(
    "button",
    { type: "button", class: "like", onclick, "aria-label": label, title: label },
    canvas,
    h("b", {}, String(atom)),
    h("span", { class: "muted" }, shown),
  );
  return { button, canvas };
}

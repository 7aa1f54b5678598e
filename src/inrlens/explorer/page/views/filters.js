// Filters: ranges of an atom's numbers, typed.

import { h, put, set } from "inrlens/dom.js";
import { complete, knownNumbers, unitOf } from "inrlens/model/known.js";
import { number, valuesOf } from "inrlens/model/numbers.js";

/**
 * The filters of the state as rows that can be changed.
 * @param {import("inrlens/model/app.js").App} app
 * @returns {{list: HTMLElement, buttons: HTMLElement[], update: (scene: Object) => void}}
 */
export function filterList(app) {
  const list = h("ul", { class: "filters", "aria-label": "Filters" });
  const add = h("button", { type: "button" }, "add a filter");
  const clear = h("button", { type: "button", class: "quiet" }, "clear");
  add.addEventListener("click", () => {
    const known = knownNumbers(app.scene());
    const used = app.state.filters.map(({ name }) => name);
    const next = known.find(({ name }) => !used.includes(name)) ?? known[0];
    app.set({ filters: [...app.state.filters, { name: next.name, low: -Infinity, high: Infinity }] });
    list.lastElementChild?.querySelector("select").focus();
  });
  clear.addEventListener("click", () => {
    app.set({ filters: [] });
    add.focus();
  });
  const change = (place, filter) => {
    app.set({ filters: app.state.filters.map((one, i) => (i === place ? { ...one, ...filter } : one)) });
  };
  const remove = (place) => {
    app.set({ filters: app.state.filters.filter((_, i) => i !== place) });
    const rows = list.children;
    (rows[Math.min(place, rows.length - 1)]?.querySelector("select") ?? add).focus();
  };
  const rows = [];
  const update = (scene) => {
    const known = knownNumbers(scene);
    while (rows.length > app.state.filters.length) rows.pop().close();
    while (rows.length < app.state.filters.length) {
      const place = rows.length;
      rows.push(
        filterRow(
          (filter) => change(place, filter),
          () => remove(place),
        ),
      );
      list.append(rows[place].element);
    }
    rows.forEach((row, place) => row.update(app.state.filters[place], known, scene));
    list.hidden = !rows.length;
    clear.hidden = !rows.length;
    add.disabled = !known.length;
  };
  return { list, buttons: [add, clear], update };
}

/** One filter: its number, its two ends, and the button that removes it. */
function filterRow(change, remove) {
  const told = h("span", { class: "wrong", role: "status" });
  const typing = { type: "text", inputmode: "decimal", size: 8, autocomplete: "off" };
  const ends = ["low", "high"].map((name) => h("input", { ...typing, name }));
  const unit = h("span", { class: "muted" });
  const select = h("select", { "aria-label": "Number to filter by" });
  const off = h("button", { type: "button", class: "quiet", onclick: remove }, "remove");
  const element = h("li", {}, select, ends[0], h("span", { class: "muted" }, "to"), ends[1], unit, off, told);
  let filter = null;

  const read = () => {
    const { factor } = unitOf(number(filter.name));
    return ends.map((input, i) => parse(input.value, i ? Infinity : -Infinity, factor));
  };
  /** Two numbers in the wrong order wait, for the second may not be typed yet, until the row is left. */
  const commit = (left) => {
    const values = read();
    ends.forEach((input, i) => set(input, "aria-invalid", Number.isNaN(values[i])));
    const wrong = ends.find((_, i) => Number.isNaN(values[i]));
    told.textContent = wrong ? `“${wrong.value.trim()}” is no number: type one such as 0.5, or nothing.` : "";
    if (wrong || (values[0] > values[1] && !left)) return;
    const [low, high] = values[0] > values[1] ? [values[1], values[0]] : values;
    if (low !== filter.low || high !== filter.high) change({ low, high });
    else write();
  };
  const write = () => {
    const { factor } = unitOf(number(filter.name));
    [filter.low, filter.high].forEach((value, i) => {
      ends[i].value = Number.isFinite(value) ? typed(value * factor) : "";
      ends[i].removeAttribute("aria-invalid");
    });
    told.textContent = "";
  };
  element.addEventListener("change", (event) => event.target !== select && commit(false));
  element.addEventListener("focusout", (event) => !element.contains(event.relatedTarget) && filter && commit(true));
  element.addEventListener("keydown", (event) => event.key === "Enter" && ends.includes(event.target) && commit(true));
  select.addEventListener("change", () => change({ name: select.value, low: -Infinity, high: Infinity }));

  const update = (now, known, scene) => {
    const entry = number(now.name);
    const choices = known.includes(entry) ? known : [entry, ...known];
    const key = choices.map(({ name }) => name).join();
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      put(
        select,
        choices.map(({ name, label }) => h("option", { value: name }, label)),
      );
    }
    select.value = now.name;
    const { text, factor } = unitOf(entry);
    unit.textContent = text;
    set(off, "aria-label", `remove the filter on ${entry.label}`);
    const range = rangeOf(entry, scene);
    ends.forEach((input, i) => {
      const end = i ? "highest" : "lowest";
      set(input, "aria-label", `${entry.label}, ${end}${text && ` in ${text}`}`);
      set(input, "placeholder", range ? typed(range[i] * factor, 3) : end);
    });
    const same = filter && filter.name === now.name && filter.low === now.low && filter.high === now.high;
    filter = now;
    if (!same) write();
  };
  // The last one out forgets its filter: an element that goes may still tell that it lost the focus.
  const close = () => {
    filter = null;
    element.remove();
  };
  return { element, update, close };
}

/** The least and the largest value among living atoms, or null. */
function rangeOf(entry, scene) {
  const values = complete(scene) ? valuesOf(entry.name, scene.atoms, scene.effects) : null;
  if (!values) return null;
  let [low, high] = [Infinity, -Infinity];
  for (let atom = 0; atom < scene.atoms.n; atom += 1) {
    if (!scene.atoms.count(atom)) continue;
    if (values[atom] < low) low = values[atom];
    if (values[atom] > high) high = values[atom];
  }
  return low <= high ? [low, high] : null;
}

/** What was typed, as a value; `empty` for nothing, NaN for what is no number. */
function parse(text, empty, factor) {
  const plain = text
    .trim()
    .replace("\u2212", "-")
    .replace(/\s*(%|dB)$/i, "");
  if (!plain) return text.trim() ? NaN : empty;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) / factor : NaN;
}

/** A number as people type it, without the dust of binary fractions. */
const typed = (value, digits = 6) => String(Number(value.toPrecision(digits)));

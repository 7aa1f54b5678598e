// How many atoms there are, their order, the way to one by its number, and the filters.

import { choose, h, put, set } from "inrlens/dom.js";
import { complete, knownNumbers, living } from "inrlens/model/known.js";
import { count } from "inrlens/model/numbers.js";
import { filterList } from "inrlens/views/filters.js";

/** Builds order and filters into `host`. @param {HTMLElement} host @param {import("inrlens/model/app.js").App} app */
export function mount(host, app) {
  const total = h("p", { class: "total", role: "status" });
  const status = h("p", { class: "status muted", role: "status" });
  const order = h("span", { class: "order" });
  const jump = jumpBox(app, (text) => (status.textContent = text));
  const filters = filterList(app);
  put(host, h("div", { class: "line" }, total, order, jump, filters.buttons, status), filters.list);
  const update = () => {
    const scene = app.scene();
    host.hidden = !scene.dictionary;
    if (!scene.dictionary) return;
    total.textContent = totalText(app, scene);
    drawOrder(order, app, scene);
    filters.update(scene);
  };
  app.on((changed) => {
    if (app.state.view !== "atoms") return;
    if (changed.has("pane") || changed.has("atom")) status.textContent = "";
    if (["loaded", "pane", "view", "by", "descending", "filters"].some((name) => changed.has(name))) update();
  });
  update();
}

function totalText(app, scene) {
  if (!complete(scene)) return `${count(scene.dictionary.n_atoms)} atoms`;
  const alive = living(scene.atoms);
  const dead = scene.atoms.n - alive;
  const rest = dead ? `, ${count(dead)} dead` : "";
  return `${count(app.order().length)} of ${count(alive)} living atoms${rest}`;
}

/** The select keeps the focus: its options change only where the bundle's numbers do. */
function drawOrder(host, app, scene) {
  const known = knownNumbers(scene);
  const { by, descending } = app.state;
  const byNumber = known.some(({ name }) => name === by) ? [] : [["", "number"]];
  const choices = [...byNumber, ...known.map(({ name, label }) => [name, label])];
  const key = choices.join();
  if (host.dataset.key !== key) {
    host.dataset.key = key;
    const select = choose("Order by", choices, by, (name) => name && app.set({ by: name }));
    const turn = h("button", { type: "button", onclick: () => app.set({ descending: !app.state.descending }) });
    put(host, h("label", {}, h("span", { "aria-hidden": "true" }, "by "), select), turn);
  }
  host.querySelector("select").value = byNumber.length ? "" : by;
  const plain = byNumber.length > 0;
  const button = host.querySelector("button");
  button.textContent = descending === plain ? "smallest first" : "largest first";
  set(button, "title", "Turn the order round");
}

function jumpBox(app, say) {
  const typing = { type: "text", inputmode: "numeric", size: 6, autocomplete: "off" };
  const input = h("input", { ...typing, "aria-label": "Go to atom number" });
  const go = () => {
    // The page itself writes 1,024.
    const text = input.value.trim().replaceAll(",", "");
    const { dictionary, atoms } = app.scene();
    if (!text || !dictionary) return;
    const atom = /^\d+$/.test(text) ? Number(text) : NaN;
    const exists = atom < dictionary.n_atoms;
    set(input, "aria-invalid", !exists);
    if (!exists) {
      say(`There is no atom ${text}: they are numbered 0 to ${dictionary.n_atoms - 1}.`);
      return;
    }
    app.pick(atom);
    if (!atoms) return;
    if (!atoms.count(atom)) say(`Atom ${atom} is dead: it fires nowhere on the grid.`);
    else if (!app.order().includes(atom)) say(`Atom ${atom} is picked, but the filters leave it out.`);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go();
  });
  input.addEventListener("input", () => {
    input.removeAttribute("aria-invalid");
    say("");
  });
  return h("label", { class: "jump" }, h("span", { "aria-hidden": "true" }, "go to atom "), input);
}

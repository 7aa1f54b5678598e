// Where a volume is cut: the axis that it is cut across, and how far along it.

import { h, put, set } from "inrlens/dom.js";
import { perFrame } from "inrlens/draw/frame.js";
import { AXES } from "inrlens/model/cut.js";
import { capital } from "inrlens/model/numbers.js";

/** The bar that says where volumes are cut; hidden where there are none. */
export function mount(host, app) {
  const axes = AXES.map((name, axis) =>
    h(
      "button",
      { type: "button", "data-axis": axis, onclick: () => app.set({ slice: { axis, index: null } }) },
      `${capital(name)} axis`,
    ),
  );
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Slice" });
  const told = h("output", { class: "small muted" });
  const largest = h("button", { type: "button", onclick: () => toLargest(app) }, "to the atom's largest code");
  put(host, h("div", { class: "axes", role: "group", "aria-label": "Cut across" }, axes), slider, told, largest);
  slider.addEventListener("input", () => {
    const { axis } = app.cut(volume(app));
    app.set({ slice: { axis, index: Number(slider.value) } });
  });
  const draw = () => {
    const network = volume(app);
    host.hidden = network === undefined;
    if (host.hidden) return;
    const { axis, index, grid } = app.cut(network);
    axes.forEach((button, at) => set(button, "aria-pressed", at === axis));
    slider.max = grid[axis] - 1;
    if (Number(slider.value) !== index) slider.value = index;
    told.textContent = `slice ${index} (0 to ${grid[axis] - 1})`;
    set(slider, "aria-valuetext", `${capital(told.textContent)}, ${AXES[axis]} axis`);
    const { atoms, atom } = app.scene();
    largest.hidden = app.state.view !== "atoms";
    largest.disabled = atom === null || !atoms?.count(atom);
  };
  const soon = perFrame(draw);
  app.on((changed) => ["view", "pane", "slice", "atom", "loaded"].some((name) => changed.has(name)) && soon());
  draw();
}

/** The first shown network that has a volume, if any. */
function volume(app) {
  const shown = { atoms: [0], compare: [0, 1] }[app.state.view] ?? [];
  return shown.map((place) => app.scene(place).network).find(({ grid }) => grid.length > 2);
}

function toLargest(app) {
  const { atoms, atom, cut } = app.scene();
  const { rows, codes } = atoms.entries(atom);
  const at = codes.indexOf(atoms.top(atom));
  app.set({ slice: { axis: cut.axis, index: cut.along(rows[at]) } });
}

// Keeping what is seen: pictures, plots, numbers and the link to it.

import { h, put, set } from "inrlens/dom.js";
import { composeCanvas, composeSvg, svgText } from "inrlens/draw/compose.js";
import { figureOf, scatterSheet } from "inrlens/draw/figures.js";
import { freezeSheet } from "inrlens/draw/freezeplots.js";
import { atomRows, csv, fileName, paneRows, settingRows } from "inrlens/model/export.js";
import { sweepOf } from "inrlens/model/sweep.js";
import { helpButton } from "inrlens/views/keys.js";

/** Milliseconds that a status stays, and after which a saved file's memory is given back. */
const TOLD = 4000;
const NOTHING = "Nothing is there to save yet.";

/**
 * The tools of the header.
 * @param {HTMLElement} host
 * @param {import("inrlens/model/app.js").App} app
 */
export function mount(host, app) {
  const told = h("p", { class: "told small muted", role: "status" });
  let timer = 0;
  const tell = (text) => {
    told.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => (told.textContent = ""), TOLD);
  };
  const list = h("ul", { id: "save-list", hidden: true });
  const button = h(
    "button",
    { type: "button", "aria-expanded": false, "aria-controls": "save-list", onclick: () => open(list.hidden) },
    "Save",
  );
  const open = (wanted) => {
    if (wanted)
      put(
        list,
        entries(app).map(([label, run]) =>
          h("li", {}, h("button", { type: "button", class: "quiet", onclick: () => act(run) }, label)),
        ),
      );
    list.hidden = !wanted;
    set(button, "aria-expanded", wanted);
    if (wanted) list.querySelector("button").focus();
  };
  const act = async (run) => {
    open(false);
    button.focus();
    try {
      tell((await run()) ?? NOTHING);
    } catch (fault) {
      app.fail(fault);
    }
  };
  const menu = h("div", { class: "menu" }, button, list);
  menu.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !list.hidden) {
      open(false);
      button.focus();
    } else if (step && at >= 0) buttons[(at + step + buttons.length) % buttons.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) open(false);
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) open(false);
  });
  put(host, told, menu, helpButton());
}

/** What can be saved of the view that is open. @returns {[string, () => Promise<string|null>][]} */
function entries(app) {
  const { view } = app.state;
  const plot = { atoms: ["Scatter as SVG", "scatter", scatterSheet], freeze: ["Plots as SVG", "freeze", freezeSheet] }[
    view
  ];
  const swept = view !== "freeze" || sweepOf(app);
  return [
    swept && ["Pictures as PNG", () => pictures(app, "png")],
    swept && ["Pictures as SVG", () => pictures(app, "svg")],
    plot && swept && [plot[0], async () => keepSvg(plot[2](app), nameOf(app, plot[1], "svg"))],
    swept && ["Numbers as CSV", async () => keepText(numbers(app), nameOf(app, "numbers", "csv"), "text/csv")],
    swept && ["Copy numbers as CSV", async () => copied(numbers(app), "Numbers")],
    ["Copy link", async () => copied(app.link(), "Link")],
  ].filter(Boolean);
}

async function pictures(app, kind) {
  const figure = await figureOf(app);
  if (!figure) return null;
  const name = nameOf(app, app.state.view === "freeze" ? "settings" : "pictures", kind);
  if (kind === "svg") return keepSvg(composeSvg(figure), name);
  const blob = await new Promise((done) => composeCanvas(figure).toBlob(done, "image/png"));
  return blob && keep(blob, name);
}

/** The numbers of the view that is open, as CSV; null where none have come yet. */
function numbers(app) {
  if (app.state.view === "freeze") return csv(settingRows(sweepOf(app)));
  const panes = [0, 1].map((place) => ({ scene: app.scene(place), order: app.order(place) }));
  if (app.state.view === "compare") return panes.some(({ scene }) => scene.atoms) ? csv(paneRows(panes)) : null;
  return panes[0].scene.atoms ? csv(atomRows(panes[0].scene, panes[0].order)) : null;
}

function nameOf(app, what, ending) {
  const { network, dictionary, signal, atom } = app.scene();
  const parts = {
    atoms: [network.name, signal.name, dictionary?.name, what === "pictures" && atom !== null ? `atom-${atom}` : null],
    compare: ["compare"],
    freeze: [sweepOf(app)?.backbone],
  }[app.state.view];
  return fileName([app.manifest.title, ...parts, what], ending);
}

const keepSvg = (svg, name) => svg && keepText(svgText(svg), name, "image/svg+xml");
const keepText = (text, name, type) => text && keep(new Blob([text], { type: `${type};charset=utf-8` }), name);

/** Hands a file to the browser. @returns {string} what was done */
function keep(blob, name) {
  const href = URL.createObjectURL(blob);
  const link = h("a", { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), TOLD);
  return `Saved ${name}`;
}

/** Copies a text; without a clipboard, shows it to be copied by hand. @returns {Promise<string|null>} what was done */
async function copied(text, what) {
  if (text === null) return null;
  try {
    await navigator.clipboard.writeText(text);
    return `${what} copied`;
  } catch {
    byHand(text, what);
    return `${what}: copy it from the field`;
  }
}

function byHand(text, what) {
  const field = h("textarea", { readonly: true, rows: 8, "aria-label": what });
  field.value = text;
  const dialog = h(
    "dialog",
    { class: "byhand", "aria-label": what },
    field,
    h("form", { method: "dialog" }, h("button", {}, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}

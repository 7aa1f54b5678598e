// The page: opens the bundle, lays out the views, and says plainly what is wrong where it cannot.

import { h, put } from "inrlens/dom.js";
import { App } from "inrlens/model/app.js";
import { Fault, openBundle } from "inrlens/model/bundle.js";
import { listenToKeys } from "inrlens/views/keys.js";
import * as atom from "inrlens/views/atom.js";
import * as choice from "inrlens/views/choice.js";
import * as compare from "inrlens/views/compare.js";
import * as edit from "inrlens/views/edit.js";
import * as freeze from "inrlens/views/freeze.js";
import * as maps from "inrlens/views/maps.js";
import * as pictures from "inrlens/views/pictures.js";
import * as pixel from "inrlens/views/pixel.js";
import * as save from "inrlens/views/save.js";
import * as scatter from "inrlens/views/scatter.js";
import * as slices from "inrlens/views/slices.js";
import * as sorting from "inrlens/views/sorting.js";

const TABS = [
  ["atoms", "Atoms"],
  ["compare", "Compare"],
  ["freeze", "Freeze"],
];

async function start() {
  const main = document.getElementById("explorer");
  try {
    const bundle = await openBundle();
    if (!bundle.manifest.networks.length) {
      throw new Fault("This bundle holds no network: write it from a run that has one, with inrlens explore RUN.");
    }
    const app = new App(bundle);
    layOut(app, main);
    app.start();
  } catch (fault) {
    report(main, fault);
  }
}

function layOut(app, main) {
  const place = (mount, tag, attributes) => {
    const host = h(tag, attributes);
    mount(host, app);
    return host;
  };
  const warning = h("p", { class: "fault", role: "alert", hidden: true });
  const header = h(
    "header",
    { class: "bar" },
    h("p", { class: "brand" }, h("b", {}, "InrLens"), h("span", {}, app.manifest.title)),
    place(tabs, "nav", { class: "tabs", "aria-label": "Views" }),
    place(save.mount, "div", { class: "tools" }),
  );
  document.body.prepend(header);
  document.title = `${app.manifest.title} · InrLens`;
  const views = {
    atoms: [
      place(choice.mount, "section", { class: "choice", "aria-label": "What is shown" }),
      h(
        "div",
        { class: "desk" },
        place(pictures.mount, "section", { class: "pictures", "aria-label": "Pictures" }),
        h(
          "div",
          { class: "side" },
          place(atom.mount, "section", { class: "panel atom", "aria-label": "The picked atom" }),
          place(edit.mount, "section", { class: "panel edit", "aria-label": "Edit" }),
          place(pixel.mount, "section", { class: "panel pixel", "aria-label": "Atoms of a pixel" }),
        ),
      ),
      h(
        "div",
        { class: "all" },
        place(sorting.mount, "section", { class: "sorting", "aria-label": "Order and filters" }),
        place(scatter.mount, "section", { class: "scatter", "aria-label": "All atoms as a scatter" }),
        place(maps.mount, "section", { class: "maps", "aria-label": "All maps" }),
      ),
    ],
    compare: [place(compare.mount, "div", { class: "compare" })],
    freeze: [place(freeze.mount, "div", { class: "freeze" })],
  };
  const sections = Object.entries(views).map(([name, children]) =>
    h("div", { class: "view", id: `view-${name}`, hidden: app.state.view !== name }, children),
  );
  put(
    main,
    h("h1", { class: "unseen" }, `${app.manifest.title}: atoms of coordinate networks`),
    warning,
    notes(app),
    place(slices.mount, "section", { class: "slices", "aria-label": "Where volumes are cut" }),
    sections,
  );
  app.on((changed) => {
    if (changed.has("view")) for (const one of sections) one.hidden = one.id !== `view-${app.state.view}`;
    if (changed.has("pane")) warning.hidden = true;
    if (changed.has("fault")) {
      warning.textContent = sentence(app.fault);
      warning.hidden = false;
    }
  });
  listenToKeys(app);
}

function notes(app) {
  if (!app.manifest.notes.length) return null;
  const list = h(
    "ul",
    {},
    app.manifest.notes.map((text) => h("li", {}, text)),
  );
  const bare = app.manifest.networks.every((one) => !one.dictionaries.length);
  if (bare) return h("section", { class: "notes", "aria-label": "What is missing" }, list);
  return h("details", { class: "notes" }, h("summary", {}, "What is not in here"), list);
}

function tabs(host, app) {
  const buttons = TABS.map(([name, label]) =>
    h("button", { type: "button", onclick: () => app.set({ view: name }), "data-view": name }, label),
  );
  put(host, buttons);
  const mark = () =>
    buttons.forEach((button) => {
      if (button.dataset.view === app.state.view) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    });
  mark();
  app.on((changed) => changed.has("view") && mark());
}

function report(main, fault) {
  console.warn(fault);
  put(
    main,
    h(
      "section",
      { class: "broken", role: "alert" },
      h("h1", {}, "This explorer cannot be shown"),
      h("p", {}, sentence(fault)),
    ),
  );
}

function sentence(fault) {
  if (fault instanceof Fault) return fault.message;
  return `Something went wrong in the page itself (${fault?.message ?? fault}): reload it, and if it stays, tell us.`;
}

start();

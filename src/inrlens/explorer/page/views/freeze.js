// Which layer transfers: stable ranks, and what freezing at each depth gives on signals held out.

import { choose, h, put, s, set } from "inrlens/dom.js";
import { SCREEN } from "inrlens/draw/compose.js";
import { perFrame } from "inrlens/draw/frame.js";
import { VARIANTS, psnrPlot, rankKey, rankPlot } from "inrlens/draw/freezeplots.js";
import { show } from "inrlens/draw/raster.js";
import { fixed } from "inrlens/model/numbers.js";
import { db, picturedPsnr, settingOf, settingPicture, settingWords, sweepOf, upper } from "inrlens/model/sweep.js";

const HOW =
  "A freeze sweep comes with a run that fits held-out signals from its cohort: inrlens demo makes one whole, " +
  "inrlens transfer fits one signal.";
export function mount(host, app) {
  const sweep = app.manifest.freeze.length ? sweepView(app) : null;
  const others = h("section", { class: "every", "aria-label": "Stable ranks of every network" });
  put(host, sweep?.element ?? h("p", { class: "how" }, `This bundle holds no freeze sweep. ${HOW}`), others);
  let filled = false;
  const later = perFrame(() => {
    if (app.state.view !== "freeze") return;
    if (!filled) fillEvery(others, app, Boolean(sweep));
    filled = true;
    sweep?.draw();
  });
  app.on((changed) => ["view", "freeze", "setting"].some((name) => changed.has(name)) && later());
  new ResizeObserver(later).observe(host);
  later();
}

function sweepView(app) {
  const entries = app.manifest.freeze;
  const several = new Set(entries.map(({ run }) => run)).size > 1;
  const pick = choose(
    "Sweep",
    entries.map(({ run, backbone }, i) => [i, several ? `${run}: ${upper(backbone)}` : upper(backbone)]),
    app.state.freeze,
    (value) => app.set({ freeze: Number(value), setting: null }),
  );
  const facts = h("p", { class: "facts" });
  const ranks = h("div", { class: "plot" });
  const advice = h("p", { class: "advice" });
  const psnrs = h("div", { class: "plot" });
  const spread = h("p", { class: "muted small" });
  const chosen = h("div", { class: "chosen", "aria-live": "polite" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Reconstructions" });
  const numbers = h("details", {}, h("summary", {}, "The numbers"));
  const element = h(
    "div",
    {},
    h("div", { class: "choice" }, h("label", {}, "Sweep", pick), facts),
    h(
      "div",
      { class: "plots" },
      h("section", {}, h("h2", {}, "Stable rank of each layer"), ranks, advice),
      h("section", {}, h("h2", {}, "PSNR when layers 0 to τ are frozen"), psnrs, spread),
    ),
    h("div", { class: "looks" }, chosen, strip),
    numbers,
  );
  let [drawn, wide, told] = [null, 0, null];
  const draw = () => {
    const entry = sweepOf(app);
    const setting = settingOf(app);
    const width = Math.floor(psnrs.clientWidth);
    const whole = drawn !== entry;
    pick.value = app.state.freeze;
    if (whole || width !== wide) {
      const network = app.networkOf(entry.network);
      const held = psnrs.contains(document.activeElement);
      put(
        ranks,
        network
          ? rankPlot(network, SCREEN, width, 300, rankKey(network, SCREEN, width))
          : h("p", { class: "muted" }, "The cohort’s network is not in this bundle."),
      );
      put(
        psnrs,
        psnrPlot(entry, network?.tau, SCREEN, width, 300, (label) => app.set({ setting: label })),
      );
      if (held) psnrs.querySelector("[tabindex='0']")?.focus();
      advice.textContent = network?.advice ?? "";
    }
    if (whole) {
      const fits = Math.max(...entry.settings.map((one) => one.psnrs.length));
      facts.textContent = `${fits} ${fits === 1 ? "fit" : "fits"} a setting on held-out ${entry.signals.join(", ")}`;
      spread.textContent =
        fits > 1
          ? `Points are means of ${fits} fits, whiskers reach from the lowest to the highest.`
          : "Every point is one fit, so there is no spread to show.";
      fillStrip(strip, app, entry);
      put(numbers, h("summary", {}, "The numbers"), settingTable(entry), rankTables(app, entry));
    }
    [drawn, wide] = [entry, width];
    mark(psnrs, strip, setting.label);
    if (told !== setting) drawChosen(chosen, app);
    told = setting;
  };
  return { element, draw };
}

function mark(plot, strip, label) {
  for (const point of plot.querySelectorAll("[data-label]")) {
    const on = point.dataset.label === label;
    set(point, "aria-pressed", on);
    set(point, "tabindex", on ? 0 : -1);
  }
  for (const tile of strip.children) set(tile, "aria-pressed", tile.dataset.label === label);
}

function fillStrip(strip, app, entry) {
  put(
    strip,
    entry.settings.map((one) => {
      const canvas = h("canvas", { width: 4, height: 3 });
      settingPicture(app, one).then((image) => image && show(canvas, image));
      const own = picturedPsnr(entry, one);
      return h(
        "button",
        { type: "button", "data-label": one.label, onclick: () => app.set({ setting: one.label }) },
        one.picture ? canvas : h("span", { class: "blank" }, "no picture"),
        h("span", {}, h("b", {}, one.label), " ", h("span", {}, db(Number.isFinite(own) ? own : one.psnr))),
      );
    }),
  );
}

async function drawChosen(host, app) {
  const entry = sweepOf(app);
  const setting = settingOf(app);
  const image = await settingPicture(app, setting);
  if (settingOf(app) !== setting) return;
  const canvas = h("canvas", {
    role: "img",
    "aria-label": `${entry.signals[0]}, fitted with ${settingWords(setting)}`,
  });
  if (image) show(canvas, image);
  const own = picturedPsnr(entry, setting);
  const fits = setting.psnrs.filter(Number.isFinite);
  const spread = fits.length > 1 ? `, ${db(Math.min(...fits))} to ${db(Math.max(...fits))}` : "";
  const many = setting.psnrs.length > 1;
  put(
    host,
    image ? canvas : h("p", { class: "blank" }, "No picture of this setting was kept."),
    h(
      "div",
      {},
      h("h3", {}, setting.label),
      h("p", { class: "big" }, db(setting.psnr)),
      h(
        "p",
        { class: "muted small" },
        `${settingWords(setting)}; ${many ? `mean of ${setting.psnrs.length} fits${spread}` : "one fit"}.`,
      ),
      h("p", { class: "muted small" }, `Pictured: ${entry.signals[0]}${Number.isFinite(own) ? `, ${db(own)}` : ""}.`),
    ),
  );
}

function settingTable({ settings, signals }) {
  const fits = Math.max(...settings.map((one) => one.psnrs.length));
  const named = Array.from({ length: fits }, (_, i) => (fits === signals.length ? signals[i] : `fit ${i + 1}`));
  return table(
    "PSNR in dB",
    ["setting", "mean", ...named],
    settings.map((one) => [one.label, fixed(one.psnr, 2), ...one.psnrs.map((value) => fixed(value ?? NaN, 2))]),
  );
}

function rankTables(app, { network }) {
  const about = app.networkOf(network);
  if (!about) return null;
  const variants = Object.keys(about.ranks.activation);
  const rows = about.ranks.weight.map((rank, layer) => [
    layer === about.tau ? `${layer} (τ*)` : layer,
    fixed(rank ?? NaN, 2),
    ...variants.map((name) => fixed(about.ranks.activation[name][layer] ?? NaN, 2)),
  ]);
  return table("Stable ranks", ["layer", "weights", ...variants.map((name) => VARIANTS[name]?.label ?? name)], rows);
}

function table(caption, columns, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(([first, ...rest]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, first),
            rest.map((value) => h("td", {}, value)),
          ),
        ),
      ),
    ),
  );
}

function fillEvery(host, app, swept) {
  const without = app.manifest.networks.some(({ id }) => !app.manifest.freeze.some(({ network }) => network === id));
  put(
    host,
    h("h2", {}, "Stable ranks of every network"),
    keySheet(app.manifest.networks),
    h(
      "div",
      {},
      app.manifest.networks.map((network) =>
        h(
          "figure",
          {},
          h("h3", {}, network.name),
          rankPlot(network, SCREEN, 320, 190),
          h("figcaption", {}, network.advice),
        ),
      ),
    ),
    swept && without && h("p", { class: "how small" }, HOW),
  );
}

/** One key for all small plots, of the network with the most variants. */
function keySheet(networks) {
  const variants = ({ ranks }) => Object.keys(ranks.activation).length;
  const richest = networks.reduce((most, one) => (variants(one) > variants(most) ? one : most));
  const width = 320;
  const { element, height } = rankKey(richest, SCREEN, width);
  return s("svg", { class: "key", width, height: height + 6, "aria-hidden": true }, element);
}

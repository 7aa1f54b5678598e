// What a view shows, as a figure to keep.

import { ablation, meanMap } from "inrlens/draw/ablation.js";
import { PAPER, sheet } from "inrlens/draw/compose.js";
import { s } from "inrlens/dom.js";
import { cloudOf, STEPS } from "inrlens/draw/cloud.js";
import { drawAxes } from "inrlens/draw/plot.js";
import { count, fixed, number } from "inrlens/model/numbers.js";
import { db, picturedPsnr, settingOf, settingPicture, settingWords, sweepOf, upper } from "inrlens/model/sweep.js";
import { atomAt } from "inrlens/model/pairs.js";
import { shownTiles } from "inrlens/views/pictures.js";

/** Colours of the steps of locality on paper, as in reports. */
const LOCAL = ["#b98b00", "#2a904b", "#076b6f", "#014182", "#360761"];
const MEAN = 24;

/**
 * The pictures of the view that is open; null where there is nothing to keep yet.
 * @param {import("inrlens/model/app.js").App} app
 * @returns {Promise<import("inrlens/draw/compose.js").Figure|null>}
 */
export async function figureOf(app) {
  const make = { atoms: atomsFigure, compare: compareFigure, freeze: freezeFigure }[app.state.view];
  const rows = (await make(app)).filter(({ tiles }) => tiles.length);
  return rows.length ? { title: app.manifest.title, rows } : null;
}

/** What a pane shows, in words: "cohort_siren, layer 2, cat.png". */
export function paneWords({ network, dictionary, signal }) {
  return [network.name, dictionary?.name, signal.name].filter(Boolean).join(", ");
}

async function atomsFigure(app) {
  return [{ title: paneWords(app.scene()), tiles: shownTiles(app) }];
}

async function compareFigure(app) {
  return [0, 1].map((place) => {
    const scene = app.scene(place);
    const atom = scene.atoms ? atomAt(app, place) : null;
    const title = paneWords(scene);
    if (atom === null) return { title, tiles: [] };
    const { map, without, effect, before, after, lost } = ablation(scene, atom);
    const first = [...app.order(place).slice(0, MEAN)];
    const tiles = [
      {
        image: map,
        title: `Atom ${count(atom)}`,
        detail: `rank ${count(app.state.rank + 1)} by ${number(app.state.by).label}`,
      },
      without && { image: without, title: "Without it", detail: `${fixed(before, 2)} → ${db(after)}` },
      effect && {
        image: effect,
        title: "Effect",
        detail: lost === null ? "" : `${number("psnr_drop").show(lost)} lost`,
      },
      {
        image: meanMap(scene.atoms, first, scene.cut),
        title: `Mean of the first ${first.length}`,
        picked: true,
      },
    ];
    return { title, tiles: tiles.filter(Boolean) };
  });
}

async function freezeFigure(app) {
  const entry = sweepOf(app);
  if (!entry) return [];
  const chosen = settingOf(app);
  const tiles = await Promise.all(
    entry.settings.map(async (setting) => {
      const own = picturedPsnr(entry, setting);
      const detail = `${settingWords(setting)}, ${db(Number.isFinite(own) ? own : setting.psnr)}`;
      const image = await settingPicture(app, setting);
      return image && { image, title: setting.label, detail, picked: setting === chosen };
    }),
  );
  return [{ title: `${upper(entry.backbone)}, ${entry.signals[0]}`, tiles: tiles.filter(Boolean) }];
}

/** The scatter of all living atoms as an SVG; null where it has no axes. @returns {SVGElement|null} */
export function scatterSheet(app) {
  const scene = app.scene();
  if (!scene.atoms) return null;
  const [width, height] = [640, 560];
  const frame = { left: 64, top: 72, width: width - 88, height: height - 132 };
  const entries = app.state.axes.map(number);
  if (entries.some((entry) => entry.effect && !scene.effects)) return null;
  const cloud = cloudOf(scene, entries, app.order(), frame);
  if (!cloud.axes) return null;
  const title = `${app.manifest.title}: ${paneWords(scene)}`;
  const svg = sheet(width, height, title);
  const axes = s("g", {});
  drawAxes(axes, ...cloud.axes, frame);
  style(axes);
  const dots = (list, colour, opacity) =>
    s(
      "g",
      { fill: colour, "fill-opacity": opacity },
      Array.from(list)
        .filter((atom) => !Number.isNaN(cloud.xs[atom] + cloud.ys[atom]))
        .map((atom) => s("circle", { cx: cloud.xs[atom].toFixed(1), cy: cloud.ys[atom].toFixed(1), r: 2 })),
    );
  const colour = (step) => (step === null || step < 0 ? PAPER.ink : LOCAL[Math.min(step, STEPS - 1)]);
  svg.append(
    s("text", { x: 24, y: 30, "font-size": 15, "font-weight": 600, fill: PAPER.ink }, title),
    axes,
    dots(cloud.faint, PAPER.muted, 0.2),
    ...cloud.groups.map((group) => dots(group.dots, colour(group.step), 0.75)),
  );
  if (scene.atom !== null && !Number.isNaN(cloud.xs[scene.atom] + cloud.ys[scene.atom])) {
    const at = { cx: cloud.xs[scene.atom], cy: cloud.ys[scene.atom], r: 6 };
    const name = { x: at.cx + 10, y: at.cy + 4, "font-size": 12, fill: PAPER.picked };
    svg.append(
      s("circle", { ...at, fill: "none", stroke: PAPER.picked, "stroke-width": 2 }),
      s("text", name, `atom ${count(scene.atom)}`),
    );
  }
  if (cloud.local) svg.append(key(width - 24));
  return svg;
}

/** The colours of locality, from 0 to all of it, ending at `right`. */
function key(right) {
  const words = { "font-size": 11, fill: PAPER.muted, y: 56, "text-anchor": "end" };
  const left = right - 40 - 16 * LOCAL.length;
  return s(
    "g",
    {},
    s("text", { ...words, x: left - 6 }, "locality 0"),
    LOCAL.map((fill, step) => s("rect", { x: left + 16 * step, y: 47, width: 16, height: 10, fill })),
    s("text", { ...words, x: right }, "100\u202f%"),
  );
}

/** A file has no style sheet: what the page's says of axes is written on the elements. */
function style(axes) {
  for (const line of axes.querySelectorAll("line")) line.setAttribute("stroke", PAPER.rule);
  for (const text of axes.querySelectorAll("text")) {
    const title = text.classList.contains("title");
    text.setAttribute("font-size", title ? 13 : 11);
    text.setAttribute("fill", title ? PAPER.ink : PAPER.muted);
    const across = text.classList.contains("across");
    text.setAttribute("text-anchor", across ? (title ? "end" : "middle") : title ? "start" : "end");
  }
}

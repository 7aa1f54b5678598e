// The plots of the freeze view, for the screen and for paper.

import { s, set } from "inrlens/dom.js";
import { PAPER, axes, measured, sheet, ticks } from "inrlens/draw/compose.js";
import { fixed } from "inrlens/model/numbers.js";
import { db, settingWords, sweepOf, upper } from "inrlens/model/sweep.js";

/** The variants of the activations' stable rank. */
export const VARIANTS = {
  post: { label: "activations", dash: null },
  post_centred: { label: "activations, each unit’s mean removed", dash: "5 3" },
  pre: { label: "pre-activations", dash: "1.5 3" },
};

/** The bars of weights' stable ranks; that of tau* stands out. */
const [BAR, BAR_OF_TAU] = [0.3, 0.65];
/** Room above the highest value, for tau*'s mark. */
const ROOM = 1.2;

/** What the bars and lines of a `rankPlot` are. @returns {{element: SVGElement, height: number}} */
export function rankKey({ ranks }, look, width) {
  const lines = Object.keys(ranks.activation).map((variant, line) => ({
    label: VARIANTS[variant]?.label ?? variant,
    line,
    dash: VARIANTS[variant]?.dash,
  }));
  return legend([{ label: "weights", bar: true }, ...lines], look, width);
}

/** Weights' stable ranks as bars, tau* marked, activations' as lines; `key` stands above them. */
export function rankPlot({ name, ranks, tau }, look, width, height, key = { element: null, height: 0 }) {
  const lines = Object.entries(ranks.activation);
  const box = { left: 44, right: width - 8, top: key.height + 34, bottom: height - 46 };
  const depth = ranks.weight.length;
  const most = Math.max(...ranks.weight, ...lines.flatMap(([, values]) => values), 1);
  const x = {
    ticks: [...ranks.weight.keys()],
    at: (layer) => box.left + ((layer + 0.5) / depth) * (box.right - box.left),
    show: String,
    label: "layer",
  };
  const y = {
    ticks: ticks(0, most, 4),
    at: (value) => box.bottom - (value / (most * ROOM)) * (box.bottom - box.top),
    show: String,
    label: "stable rank",
  };
  const half = Math.min(22, (box.right - box.left) / depth / 3);
  const said = ranks.weight.map((rank, layer) => `layer ${layer} ${fixed(rank, 1)}`).join(", ");
  return s(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
    s("title", {}, `Stable ranks of ${name}`),
    s("desc", {}, `Weights: ${said}; ${tau === null ? "there is no τ*" : `τ* is layer ${tau}`}.`),
    axes(box, x, y, look),
    ranks.weight.map((rank, layer) =>
      s("rect", {
        x: x.at(layer) - half,
        width: 2 * half,
        y: y.at(rank ?? 0),
        height: box.bottom - y.at(rank ?? 0),
        fill: look.series[0],
        "fill-opacity": layer === tau ? BAR_OF_TAU : BAR,
      }),
    ),
    lines.map(([variant, values], i) => {
      const dash = VARIANTS[variant]?.dash ?? null;
      const stroke = {
        stroke: look.series[i + 1] ?? look.muted,
        "stroke-width": 1.5,
        "stroke-dasharray": dash,
      };
      return s("polyline", {
        points: values.flatMap((value, layer) => (value === null ? [] : `${x.at(layer)},${y.at(value)}`)).join(" "),
        fill: "none",
        ...stroke,
      });
    }),
    tau !== null &&
      s(
        "text",
        {
          x: x.at(tau),
          y: y.at(ranks.weight[tau]) - 6,
          "text-anchor": "middle",
          "font-size": 13,
          "font-weight": 600,
          fill: look.ink,
          "font-family": look.sans,
        },
        "τ*",
      ),
    key.element,
  );
}

function legend(keys, look, width) {
  let [left, top] = [0, 12];
  const parts = keys.map(({ label, bar, line, dash }) => {
    const needed = 24 + measured(label, 12) + 14;
    if (left && left + needed > width) [left, top] = [0, top + 18];
    const at = left;
    left += needed;
    const stroke = { stroke: look.series[line + 1] ?? look.muted, "stroke-width": 1.5, "stroke-dasharray": dash };
    return [
      bar
        ? s("rect", { x: at + 4, y: top - 9, width: 10, height: 10, fill: look.series[0], "fill-opacity": BAR_OF_TAU })
        : s("line", { x1: at, x2: at + 18, y1: top - 4, y2: top - 4, ...stroke }),
      s("text", { x: at + 24, y: top, "font-size": 12, fill: look.muted }, label),
    ];
  });
  return { element: s("g", { "font-family": look.sans }, parts), height: top };
}

/** PSNR against tau; `onpick(label)` makes its points buttons. */
export function psnrPlot(entry, tau, look, width, height, onpick = null) {
  const { backbone } = entry;
  const settings = entry.settings.filter((one) => Number.isFinite(one.psnr));
  const all = settings.flatMap((one) => [one.psnr, ...one.psnrs]).filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const depth = Math.max(0, ...settings.map((one) => (one.freeze ?? -1) + 1));
  const box = { left: 44, right: width - 104, top: 46, bottom: height - 46 };
  const pad = Math.max(0.5, (high - low) * 0.06);
  const x = {
    ticks: [...Array(depth).keys()],
    at: (t) => box.left + ((t + 0.5) / depth) * (box.right - box.left),
    show: (t) => (t === tau ? `${t} = τ*` : String(t)),
    label: "τ, the last frozen layer",
  };
  const y = {
    ticks: ticks(low - pad, high + pad, 5),
    at: (value) => box.bottom - ((value - low + pad) / (high - low + 2 * pad)) * (box.bottom - box.top),
    show: String,
    label: "PSNR (dB)",
  };
  const rests = ["reinit", "warm"]
    .map((rest, i) => ({
      label: rest === "warm" ? "rest warm" : "rest reinitialised",
      colour: look.series[i],
      shift: i ? 6 : -6,
      hollow: i === 1,
      points: settings.filter((one) => one.freeze !== null && one.rest === rest).sort((a, b) => a.freeze - b.freeze),
    }))
    .filter(({ points }) => points.length);
  const levels = settings.filter((one) => one.freeze === null);
  const labels = apart(
    [
      ...rests.map(({ label, colour, points }) => ({ label, colour, y: y.at(points.at(-1).psnr) })),
      ...levels.map((one) => ({ label: one.label, setting: one, colour: look.ink, y: y.at(one.psnr) })),
    ],
    16,
    box,
  );
  const button = (one, ...shapes) => {
    if (!onpick) return s("g", {}, shapes);
    const go = () => onpick(one.label);
    return s(
      "g",
      {
        class: "point",
        role: "button",
        tabindex: -1,
        "data-label": one.label,
        "aria-label": `${one.label}: ${settingWords(one)}, ${db(one.psnr)}`,
        onpointerenter: go,
        onfocus: go,
        onclick: go,
      },
      shapes,
    );
  };
  const svg = s(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: onpick ? "group" : "img" },
    s("title", {}, `PSNR of held-out signals by freeze depth, ${upper(backbone)}`),
    s("desc", {}, settings.map((one) => `${one.label} ${db(one.psnr)}`).join(", ")),
    axes(box, x, y, look),
    levels.map((one) =>
      s("line", {
        x1: box.left,
        x2: box.right,
        y1: y.at(one.psnr),
        y2: y.at(one.psnr),
        stroke: look.ink,
        "stroke-dasharray": one.label === "none" ? "6 4" : "2 4",
      }),
    ),
    rests.map(({ points, colour, shift, hollow }) => [
      s("polyline", {
        points: points.map((one) => `${x.at(one.freeze) + shift},${y.at(one.psnr)}`).join(" "),
        fill: "none",
        stroke: colour,
        "stroke-dasharray": hollow ? "5 3" : null,
      }),
      points.map((one) => {
        const at = x.at(one.freeze) + shift;
        const fits = one.psnrs.filter(Number.isFinite);
        return button(
          one,
          fits.length > 1 &&
            s("line", {
              x1: at,
              x2: at,
              y1: y.at(Math.min(...fits)),
              y2: y.at(Math.max(...fits)),
              stroke: colour,
              "stroke-opacity": 0.5,
            }),
          onpick && s("circle", { cx: at, cy: y.at(one.psnr), r: 12, fill: "transparent" }),
          s("circle", {
            class: "dot",
            cx: at,
            cy: y.at(one.psnr),
            r: 4.5,
            fill: hollow ? look.paper : colour,
            stroke: colour,
            "stroke-width": 1.5,
          }),
        );
      }),
    ]),
    labels.map(({ label, setting, colour, y: at }) => {
      const text = s(
        "text",
        { x: box.right + 8, y: at + 4, "font-size": 12, fill: colour, "font-family": look.sans },
        label,
      );
      if (!setting) return text;
      return button(
        setting,
        onpick && s("rect", { class: "dot", x: box.right + 3, y: at - 10, width: 96, height: 20, fill: "transparent" }),
        text,
      );
    }),
  );
  if (onpick) svg.addEventListener("keydown", (event) => walk(event, svg, settings));
  return svg;
}

/** Arrows go through the settings in their own order. */
function walk(event, svg, settings) {
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  const at = settings.findIndex((one) => one.label === document.activeElement.dataset.label);
  if (!by || at < 0) return;
  event.preventDefault();
  event.stopPropagation();
  const next = settings[Math.min(settings.length - 1, Math.max(0, at + by))];
  [...svg.querySelectorAll("[data-label]")].find((one) => one.dataset.label === next.label)?.focus();
}

/** Labels moved down or up until they no longer touch. */
function apart(labels, gap, { top, bottom }) {
  const sorted = labels.toSorted((a, b) => a.y - b.y).map((one) => ({ ...one, y: Math.max(top, one.y) }));
  for (let i = 1; i < sorted.length; i += 1) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + gap);
  for (let i = sorted.length - 1; i >= 0; i -= 1) {
    sorted[i].y = Math.min(sorted[i].y, i === sorted.length - 1 ? bottom - 4 : sorted[i + 1].y - gap);
  }
  return sorted;
}

/** Both plots of the sweep that is shown, on one sheet. @returns {SVGElement} */
export function freezeSheet(app) {
  const entry = sweepOf(app);
  const network = app.networkOf(entry.network);
  const title = `${app.manifest.title}, ${upper(entry.backbone)}: freeze sweep`;
  const [width, height] = [520, 340];
  const svg = sheet(network ? 2 * width + 72 : width + 48, height + 84, title);
  svg.append(s("text", { x: 24, y: 38, "font-size": 18, "font-weight": 600, fill: PAPER.ink }, title));
  const place = (plot, left) => {
    set(plot, "x", left);
    set(plot, "y", 60);
    svg.append(plot);
  };
  if (network) place(rankPlot(network, PAPER, width, height, rankKey(network, PAPER, width)), 24);
  place(psnrPlot(entry, network?.tau, PAPER, width, height), network ? width + 48 : 24);
  return svg;
}

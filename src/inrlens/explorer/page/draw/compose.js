// Figures to keep: tiles with captions as one canvas or as an SVG, and plots as SVG.

import { s } from "inrlens/dom.js";

/**
 * A picture with its words. `picked`: it is framed in the colour of the picked atom.
 * @typedef {{image: ImageData, title: string, detail?: string, picked?: boolean}} Tile
 * @typedef {{title: string, detail?: string, tiles: Tile[]}} Row rows stand below each other
 * @typedef {{title: string, rows: Row[]}} Figure
 */

/** Pixels of a tile's longest side at least. */
const LONGEST = 400;
const MARGIN = 24;
const GAP = 16;
const COLUMNS = 4;
/** Saved figures are for paper: always light. */
export const PAPER = {
  paper: "#ffffff",
  ink: "#1e1d1a",
  muted: "#5f5c54",
  rule: "#dfdacf",
  edge: "#8d897f",
  picked: "#c2188f",
  series: ["#1767a6", "#c4501b", "#0f7d6b", "#7a4fb5"],
  sans: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
};
/** The same names in the page's own colours, which follow light and dark. */
export const SCREEN = {
  paper: "var(--paper)",
  ink: "var(--ink)",
  muted: "var(--muted)",
  rule: "var(--rule)",
  edge: "var(--edge)",
  picked: "var(--picked)",
  series: ["var(--series-0)", "var(--series-1)", "var(--series-2)", "var(--series-3)"],
  sans: "var(--sans)",
};
const STYLES = {
  title: { size: 20, weight: 600, line: 28 },
  row: { size: 16, weight: 600, line: 24 },
  caption: { size: 15, weight: 600, line: 20 },
  detail: { size: 13, weight: 400, line: 18 },
};
const pen = document.createElement("canvas").getContext("2d");
const fontOf = ({ size, weight }) => `${weight} ${size}px ${PAPER.sans}`;

/** Pixels that a text of a size takes, in a line. */
export function measured(text, size) {
  pen.font = fontOf({ size, weight: 400 });
  return pen.measureText(text).width;
}

/** Lines of a text that fit a width; a word that does not is cut, a number stays with its unit. */
function wrap(text, style, width) {
  pen.font = fontOf(style);
  const lines = [];
  for (const word of text.split(/[ \n\t]+/).filter(Boolean)) {
    const joined = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(joined).width <= width) lines[lines.length - 1] = joined;
    else lines.push(clip(word, width));
  }
  return lines;
}

function clip(word, width) {
  if (pen.measureText(word).width <= width) return word;
  let length = word.length - 1;
  while (length > 1 && pen.measureText(`${word.slice(0, length)}…`).width > width) length -= 1;
  return `${word.slice(0, length)}…`;
}

/**
 * Where everything of a figure stands, in whole pixels.
 * @param {Figure} figure
 * @returns {{width: number, height: number, images: Object[], texts: Object[]}}
 */
export function arrange(figure) {
  const [images, texts] = [[], []];
  const scales = (tile) => Math.max(1, Math.ceil(LONGEST / Math.max(tile.image.width, tile.image.height)));
  const wide = Math.max(...figure.rows.flatMap(({ tiles }) => lines(tiles).map((line) => span(line, scales))), LONGEST);
  let top = MARGIN;
  const write = (text, style, x, width, colour) => {
    for (const line of wrap(text ?? "", style, width)) {
      texts.push({ text: line, x, y: top + style.size, style, colour });
      top += style.line;
    }
  };
  write(figure.title, STYLES.title, MARGIN, wide, PAPER.ink);
  for (const row of figure.rows) {
    top += GAP / 2;
    write(row.title, STYLES.row, MARGIN, wide, PAPER.ink);
    write(row.detail, STYLES.detail, MARGIN, wide, PAPER.muted);
    for (const line of lines(row.tiles)) {
      top += GAP / 2;
      const [start, tall] = [top, Math.max(...line.map((tile) => scales(tile) * tile.image.height))];
      let [left, lowest] = [MARGIN, start];
      for (const tile of line) {
        const [width, height] = [scales(tile) * tile.image.width, scales(tile) * tile.image.height];
        images.push({ tile, x: left, y: start + tall - height, width, height });
        top = start + tall + 6;
        write(tile.title, STYLES.caption, left, width, tile.picked ? PAPER.picked : PAPER.ink);
        write(tile.detail, STYLES.detail, left, width, PAPER.muted);
        lowest = Math.max(lowest, top);
        left += width + GAP;
      }
      top = lowest;
    }
  }
  return { width: wide + 2 * MARGIN, height: top + MARGIN, images, texts };
}

const lines = (tiles) =>
  Array.from({ length: Math.ceil(tiles.length / COLUMNS) }, (_, i) => tiles.slice(i * COLUMNS, (i + 1) * COLUMNS));
const span = (line, scales) =>
  line.reduce((sum, tile) => sum + scales(tile) * tile.image.width, 0) + (line.length - 1) * GAP;

/** A figure on one canvas; every pixel of a tile is a square of whole pixels. @param {Figure} figure */
export function composeCanvas(figure) {
  const { width, height, images, texts } = arrange(figure);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const to = canvas.getContext("2d");
  to.fillStyle = PAPER.paper;
  to.fillRect(0, 0, width, height);
  to.imageSmoothingEnabled = false;
  for (const one of images) {
    to.drawImage(pixels(one.tile.image), one.x, one.y, one.width, one.height);
    if (!one.tile.picked) continue;
    to.strokeStyle = PAPER.picked;
    to.lineWidth = 3;
    to.strokeRect(one.x - 1.5, one.y - 1.5, one.width + 3, one.height + 3);
  }
  for (const { text, x, y, style, colour } of texts) {
    to.font = fontOf(style);
    to.fillStyle = colour;
    to.fillText(text, x, y);
  }
  return canvas;
}

/** The same as an SVG, with the pictures in it at their own size and the words as text. @param {Figure} figure */
export function composeSvg(figure) {
  const { width, height, images, texts } = arrange(figure);
  const svg = sheet(width, height, figure.title);
  for (const { tile, ...box } of images) {
    const href = pixels(tile.image).toDataURL("image/png");
    svg.append(s("image", { ...box, href, preserveAspectRatio: "none", "image-rendering": "pixelated" }));
    if (!tile.picked) continue;
    const frame = { x: box.x - 1.5, y: box.y - 1.5, width: box.width + 3, height: box.height + 3 };
    svg.append(s("rect", { ...frame, fill: "none", stroke: PAPER.picked, "stroke-width": 3 }));
  }
  for (const { text, x, y, style, colour } of texts) {
    svg.append(s("text", { x, y, "font-size": style.size, "font-weight": style.weight, fill: colour }, text));
  }
  return svg;
}

/** An SVG of its own, on white. */
export function sheet(width, height, title) {
  return s(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": PAPER.sans },
    s("title", {}, title),
    s("rect", { width, height, fill: PAPER.paper }),
  );
}

/** An SVG as the text of a file. @param {SVGElement} svg */
export function svgText(svg) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
}

function pixels(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/**
 * Round numbers from `low` to `high`, about `count` of them.
 * @returns {number[]}
 */
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * A plot's axes: hairlines at the ticks of y, ticks of x below, and the axes' names.
 * @param {{left: number, right: number, top: number, bottom: number}} box in pixels
 * @param {{ticks: number[], at: (value: number) => number, show: (value: number) => string, label: string}} x
 * @param {Object} y the same
 * @param {typeof PAPER} look
 */
export function axes(box, x, y, look) {
  const small = { "font-size": 12, fill: look.muted };
  return s(
    "g",
    { "font-family": look.sans },
    y.ticks.map((value) => [
      s("line", { x1: box.left, x2: box.right, y1: y.at(value), y2: y.at(value), stroke: look.rule }),
      s("text", { ...small, x: box.left - 6, y: y.at(value) + 4, "text-anchor": "end" }, y.show(value)),
    ]),
    s("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: look.edge }),
    x.ticks.map((value) => [
      s("line", { x1: x.at(value), x2: x.at(value), y1: box.bottom, y2: box.bottom + 4, stroke: look.edge }),
      s("text", { ...small, x: x.at(value), y: box.bottom + 18, "text-anchor": "middle" }, x.show(value)),
    ]),
    s("text", { ...small, x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle" }, x.label),
    s("text", { ...small, x: box.left - 34, y: box.top - 12 }, y.label),
  );
}
